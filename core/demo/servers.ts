// The bundled demo servers as configuration: so that a gateway without any configuration has something to stand in front of.
import { fileURLToPath } from 'node:url'

export interface DemoServerConfig {
  readonly kind: 'child'
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  readonly shared: boolean
  readonly protocol: 'legacy'
  readonly command: string
  readonly args: string[]
  readonly env: Record<string, string>
  readonly timeout: { readonly startMs: number; readonly callMs: number; readonly idleMs: number }
}

export function demoServers(): DemoServerConfig[] {
  return [describeDemo('notes', 'Notebook (demo)'), describeDemo('desk', 'Support desk (demo)')]
}

function describeDemo(id: string, name: string): DemoServerConfig {
  const timeout = { startMs: 10_000, callMs: 60_000, idleMs: 600_000 }
  return {
    kind: 'child',
    id,
    name,
    enabled: true,
    shared: false,
    protocol: 'legacy',
    command: process.execPath,
    args: [locateDemo(id)],
    env: {},
    timeout,
  }
}

// Plain Node runs the built files only; from the sources (in tests) the build beside them is used.
function locateDemo(id: string): string {
  const built = import.meta.url.endsWith('.ts') ? `../../dist/core/demo/${id}.js` : `./${id}.js`
  return fileURLToPath(new URL(built, import.meta.url))
}
