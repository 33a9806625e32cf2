// Short plugins for the tests of the kernel: a name, what they may do, and their hooks.
import { type Capability, definePlugin, type Hooks, type Plugin } from '../../core/plugin/index.ts'

export const anyConfig: Plugin['config'] = { '~standard': { version: 1, vendor: 'test', validate: value => ({ value }) } }

export function plug(name: string, capabilities: readonly Capability[], hooks: Hooks = {}, more: Partial<Plugin> = {}): Plugin {
  return definePlugin({ name, apiVersion: 1, config: anyConfig, capabilities, setup: () => hooks, ...more })
}
