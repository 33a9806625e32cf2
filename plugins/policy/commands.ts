// The verbs `policy ...` and `catalog ...`; each is loaded when called.
import type { Command } from 'mcpgw/plugin'
import type { PolicyConfig } from './config.ts'

export const commands: readonly Command<PolicyConfig>[] = []
