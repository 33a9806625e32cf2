// The tables of keys in PostgreSQL: their versions are the numbered SQL files beside this one.
import type { Migrations } from 'mcpgw/plugin'

export const tables: Migrations = { schema: 'mcpgw_auth', steps: new URL('./migrations/', import.meta.url) }
