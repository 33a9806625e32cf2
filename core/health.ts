// Health: each component says how it is and why. What is shown holds no secret, no output of a server and no control character.
import type { Clock } from './plugin/index.ts'

export type Status = 'ok' | 'degraded' | 'failing'
export type Condition = { readonly status: 'degraded' | 'failing'; readonly why: string }

export interface HealthView {
  /** The worst of the components; without one it is ok. */
  readonly status: Status
  /** True where no deciding plugin is loaded: everything is let through. */
  readonly open: boolean
  readonly components: readonly {
    readonly name: string
    readonly status: Status
    readonly why?: string /** ISO 8601 */
    readonly since: string
  }[]
}

export interface Health {
  /** Registers the component, ok until it says otherwise; `undefined` clears the condition. */
  component(name: string): { set(condition: Condition | undefined): void; remove(): void }
  readonly status: Status
  view(): HealthView
  setOpen(open: boolean): void
}

export interface HealthOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly scrub?: (text: string) => string
  /** A component changed its status. */
  readonly onChange?: (name: string, status: Status, why: string | undefined) => void
}

const WORST: readonly Status[] = ['failing', 'degraded', 'ok']

export function createHealth({ clock, scrub = text => text, onChange = () => {} }: HealthOptions): Health {
  const components = new Map<string, { status: Status; why: string | undefined; since: number }>()
  let open = false

  const worst = (): Status => WORST.find(status => [...components.values()].some(one => one.status === status)) ?? 'ok'

  return {
    component(name) {
      if (!components.has(name)) components.set(name, { status: 'ok', why: undefined, since: clock.now() })
      return {
        set(condition) {
          const before = components.get(name)
          const status = condition?.status ?? 'ok'
          const why = condition && showWhy(scrub(String(condition.why)))
          const since = before?.status === status ? before.since : clock.now()
          components.set(name, { status, why, since })
          if (before?.status !== status) onChange(name, status, why)
        },
        remove: () => void components.delete(name),
      }
    },
    get status() {
      return worst()
    },
    view() {
      const shown = [...components].map(([name, { status, why, since }]) => ({
        name,
        status,
        ...(why !== undefined && { why }),
        since: new Date(since).toISOString(),
      }))
      return { status: worst(), open, components: shown }
    },
    setOpen(next) {
      open = next
    },
  }
}

/** One short line: a stack trace or a server's output does not fit through here. */
function showWhy(text: string): string {
  const line = text.split(/[\r\n]/, 1)[0]!.replace(/\p{Cc}/gu, '')
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}
