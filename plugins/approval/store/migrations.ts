// The table of requests for approval in PostgreSQL: its versions are the numbered SQL files beside this one.
import type { Migrations } from 'mcpgw/plugin'

export const tables: Migrations = { schema: 'mcpgw_approval', steps: new URL('./migrations/', import.meta.url) }
