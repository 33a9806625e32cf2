// Speaks to Stripe with its own package, which is loaded when there is something to bill.
import type Stripe from 'stripe'
import { type Answer, type Billing, type Fault, type Meter, type MeterEvent, type Meters, Unanswered } from './billing.ts'
import type { StripeConfig } from './config.ts'
import { createTransport, TransportError } from './transport.ts'

const MOST_METERS = 1000
const ERROR_REPORT = 'v1.billing.meter.error_report_triggered'

export interface ClientOptions {
  readonly config: Pick<StripeConfig, 'apiKey' | 'api' | 'host' | 'port' | 'protocol'>
  /** ms that a request may take. */
  readonly deadline?: number
}

export async function createClient({ config, deadline }: ClientOptions): Promise<Billing> {
  const { default: StripeClient } = await import('stripe')
  const transport = createTransport(deadline)
  const { host, port, protocol } = config
  // `telemetry` would tell how long our requests took.
  const options = {
    httpClient: transport.client,
    maxNetworkRetries: 0,
    telemetry: false,
    protocol,
    ...(host && { host }),
    ...(port && { port }),
  }
  const open = (key: string): Stripe => new StripeClient(key, options)
  const client = open(config.apiKey ?? '')
  let stream: { readonly client: Stripe; readonly token: string } | undefined

  async function sendOne(one: MeterEvent, meters: Meters): Promise<Answer> {
    const { customerKey, valueKey } = meters.get(one.event)!
    const { event, customer, identifier, value, timestamp } = one
    const payload = { [customerKey]: customer, [valueKey]: String(value) }
    const taken = await client.billing.meterEvents.create({ event_name: event, payload, identifier, timestamp })
    if (taken.object === 'billing.meter_event' && taken.identifier === identifier) return { kind: 'counted' }
    return { kind: 'later', why: 'an answer that is not about the event', isSure: false }
  }

  async function sendStream(events: readonly MeterEvent[], meters: Meters): Promise<Answer> {
    stream ??= await openStream()
    const body = events.map(({ event, customer, identifier, value, timestamp }) => ({
      event_name: event,
      identifier,
      timestamp: new Date(timestamp * 1000).toISOString(),
      payload: { [meters.get(event)!.customerKey]: customer, [meters.get(event)!.valueKey]: String(value) },
    }))
    const taken: unknown = await stream.client.v2.billing.meterEventStream.create({ events: body })
    // Stripe answers with nothing but an empty object.
    if (Object.keys(taken as object).length === 0) return { kind: 'counted' }
    return { kind: 'later', why: 'an answer that is not about events', isSure: false }
  }

  async function openStream(): Promise<{ client: Stripe; token: string }> {
    const { authentication_token: token } = await client.v2.billing.meterEventSession.create()
    if (typeof token !== 'string' || token === '') throw new Error('a session without a token')
    return { token, client: open(token) }
  }

  async function asked(work: () => Promise<Answer>, identifier?: string): Promise<Answer> {
    try {
      return await work()
    } catch (error) {
      return understand(error, identifier)
    }
  }

  return {
    batch: config.api === 'v2' ? 100 : 1,
    async send(events, meters) {
      if (config.api === 'v1') return asked(() => sendOne(events[0]!, meters), events[0]!.identifier)
      try {
        stream ??= await openStream()
      } catch (error) {
        // No event was on its way.
        const answer = understand(error)
        return answer.kind === 'counted' ? answer : { ...toLater(answer), isSure: true }
      }
      const answer = await asked(() => sendStream(events, meters))
      // A session lasts 15 minutes; and what is wrong with a token is mended by a new one.
      if (answer.kind !== 'counted') stream = undefined
      return answer
    },
    async cancel(event, identifier) {
      const answer = await asked(async () => {
        await client.billing.meterEventAdjustments.create({ event_name: event, type: 'cancel', cancel: { identifier } })
        return { kind: 'counted' }
      })
      return answer.kind === 'refused' && /already.*cancel/i.test(answer.why) ? { kind: 'counted' } : answer
    },
    meters: () =>
      question(async () => {
        const found = new Map<string, Meter>()
        for await (const meter of client.billing.meters.list({ limit: 100 })) {
          if (found.size >= MOST_METERS) break
          // Of several with one event name at most one is active.
          if (meter.status === 'active' || !found.has(meter.event_name)) found.set(meter.event_name, toMeter(meter))
        }
        return found
      }),
    sum: (meter, customer, from, to) =>
      question(async () => {
        const span = { start_time: from / 1000, end_time: to / 1000 }
        let sum = 0
        for await (const one of client.billing.meters.listEventSummaries(meter.id, { customer, ...span, limit: 100 })) {
          if (one.object !== 'billing.meter_event_summary' || one.meter !== meter.id)
            throw new Error('an answer that is not about the meter')
          sum += one.aggregated_value
        }
        if (!Number.isSafeInteger(sum)) throw new Error('a sum that is no whole number')
        return sum
      }),
    faults: (meter, since) =>
      question(async () => {
        const found: Fault[] = []
        // Newest first.
        for await (const event of client.v2.core.events.list({ object_id: meter.id, types: [ERROR_REPORT], limit: 100 })) {
          if (Date.parse(event.created) < since) break
          if (event.type === ERROR_REPORT) found.push(toFault(event))
        }
        return found
      }),
    close: () => transport.close(),
  }
}

async function question<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const answer = understand(error)
    const why = answer.kind === 'counted' ? (error as Error).message : answer.why
    throw new Unanswered(why, answer.kind === 'later' ? answer.after : undefined, error)
  }
}

function toMeter({
  id,
  status,
  default_aggregation: { formula },
  customer_mapping: by,
  value_settings: value,
}: Stripe.Billing.Meter): Meter {
  const fault =
    status !== 'active' ? 'the meter is not active' : formula !== 'sum' ? `the meter does not sum up: its formula is ${formula}` : undefined
  return { id, customerKey: by.event_payload_key, valueKey: value.event_payload_key, ...(fault && { fault }) }
}

function toFault({ id, data }: Stripe.Events.V1BillingMeterErrorReportTriggeredEvent): Fault {
  const types = data.reason.error_types
  return {
    id,
    why: types.map(({ code, error_count: count }) => `${code} (${count})`).join(', '),
    identifiers: types.flatMap(({ sample_errors: samples }) => samples.map(({ request }) => request.identifier)),
  }
}

const toLater = (answer: Exclude<Answer, { kind: 'counted' }>): Extract<Answer, { kind: 'later' }> =>
  answer.kind === 'later' ? answer : { kind: 'later', why: answer.why, isSure: true }

/** Only an error in Stripe's own form says that nothing was counted. All else may have come after the effect. */
export function understand(error: unknown, identifier?: string): Answer {
  const { statusCode: status, code, rawType, message, headers, detail } = error as Partial<Stripe.errors.StripeError>
  const why = (text: string): string => text.slice(0, 300)
  if (detail instanceof TransportError) return { kind: 'later', why: why(detail.message), isSure: detail.isUnsent }
  if (status === undefined) return { kind: 'later', why: why(message ?? String(error)), isSure: false }
  const said = why(`HTTP ${status}${code ? ` ${code}` : ''}: ${message}`)
  if (status >= 500 || status < 400 || status === 409 || status === 408) return { kind: 'later', why: said, isSure: false }
  if (code === 'duplicate_meter_event' || (identifier !== undefined && message?.includes(`already exists with identifier ${identifier}`)))
    return { kind: 'counted' }
  const after = Number(headers?.['retry-after'])
  const wait = Number.isFinite(after) && after > 0 ? { after: Math.min(after, 3600) * 1000 } : {}
  // A key that is wrong or may not, a session that is over: nothing is wrong with the event.
  if (status === 429 || status === 401 || status === 403 || rawType === 'temporary_session_expired')
    return { kind: 'later', why: said, isSure: true, ...wait }
  return { kind: 'refused', why: said }
}
