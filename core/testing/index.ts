// `mcpgw/testing`: what a plugin's own tests need, without a server, a port or a real clock.

export type { AnyPlugin } from '../loader.ts'
export type { Check, CheckOptions } from './check-plugin.ts'
export { checkPlugin } from './check-plugin.ts'
export { createFakeClock, type FakeClock } from './fake-clock.ts'
export { createFakeUpstream, type FakeUpstream, type Handler, type Received, type Reply, upstreamError } from './fake-upstream.ts'
export { type Called, type CallOptions, type Given, type Harness, type HarnessOptions, harness, type LogLine } from './harness.ts'
export { type CommandOptions, runCommand, type Said } from './run-command.ts'
export { createTemporaryStores, type TemporaryStores } from './temporary-stores.ts'
