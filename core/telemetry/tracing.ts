// What the kernel needs of telemetry: apart from spans, which the state of an exchange has and these look at.
import type { Guard } from '../guard.ts'
import type { Observer } from '../metrics/exchanges.ts'

export interface Tracing {
  readonly observer: Observer
  hooks(guard: Guard): Guard
}
