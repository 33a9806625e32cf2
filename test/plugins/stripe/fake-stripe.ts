// A server that stands in for Stripe's billing meters: it enforces what Stripe documents, on a clock of the test, and fails as it is told.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Counted {
  readonly identifier: string
  readonly event: string
  readonly customer: string
  readonly value: number
  /** Seconds since 1970. */
  readonly timestamp: number
  /** When it was taken, ms since 1970. */
  readonly at: number
  isCancelled: boolean
}

/** `-after`: the request has its effect, and then goes wrong. */
export type Fault =
  | '500'
  | '500-after'
  | '429'
  | 'hang'
  | 'hang-after'
  | 'reset'
  | 'reset-after'
  | 'nonsense'
  | 'nonsense-after'
  | 'a-number-after'
  | 'html-502'

export interface Request {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly body: string
}

export interface FakeStripe {
  readonly port: number
  /** All that was counted, in order. */
  readonly ledger: Counted[]
  readonly requests: Request[]
  /** What becomes of the next requests. */
  fault: (request: Request) => Fault | undefined
  /** Events of these customers are taken, and found invalid afterwards. */
  readonly invalidLater: Set<string>
  readonly meters: Map<string, { formula: string; status: string }>
  readonly customers: Set<string>
  /** Most requests of one customer and meter that were there at once. */
  readonly mostAtOnce: () => number
  /** By customer and event, what has been counted and not cancelled. */
  total(customer: string, event: string): number
  close(): Promise<void>
}

const DAY = 24 * 3_600_000
export const KEY = 'rk_test_of_the_fake'

export async function createFakeStripe(now: () => number): Promise<FakeStripe> {
  const ledger: Counted[] = []
  const requests: Request[] = []
  const reports: { id: string; event: string; code: string; identifier: string; at: number }[] = []
  const tokens = new Map<string, number>()
  const busy = new Map<string, number>()
  let most = 0
  let second = { at: 0, calls: 0 }

  const server = createServer((request, response) => {
    void handle(request, response).catch(error => answer(response, 500, failure('api_error', String(error))))
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url ?? '/', 'http://fake')
    const seen = { method: request.method ?? '', path: url.pathname, query: url.search, body: Buffer.concat(chunks).toString() }
    requests.push(seen)
    const fault = fake.fault(seen)
    if (fault === 'hang') return
    if (fault === 'reset') return void request.socket.destroy()
    if (fault === '500') return answer(response, 500, failure('api_error', 'try later'))
    if (fault === '429') return answer(response, 429, failure('invalid_request_error', 'too many', 'rate_limit'), { 'retry-after': '7' })
    if (fault === 'nonsense') return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"object":')
    if (fault === 'html-502') return void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>')
    const { status, body } = await serve(seen, url, request.headers.authorization ?? '')
    if (fault === 'hang-after') return
    if (fault === 'reset-after') return void request.socket.destroy()
    if (fault === '500-after') return answer(response, 500, failure('api_error', 'try later'))
    if (fault === 'nonsense-after') return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"object":"dog"}')
    if (fault === 'a-number-after') return void response.writeHead(200, { 'content-type': 'application/json' }).end('1')
    answer(response, status, body)
  }

  type Served = { status: number; body: object }
  const refuse = (message: string, code?: string, status = 400, type = 'invalid_request_error'): Served => ({
    status,
    body: failure(type, message, code),
  })

  async function serve({ method, path, body }: Request, url: URL, authorization: string): Promise<Served> {
    const key = authorization.replace(/^Bearer /, '')
    if (path === '/v2/billing/meter_event_stream') return takeStream(key, body)
    if (key !== KEY) return refuse('Invalid API Key provided', undefined, 401)
    if (path === '/v1/billing/meter_events' && method === 'POST') return takeOne(new URLSearchParams(body))
    if (path === '/v1/billing/meter_event_adjustments') return cancel(new URLSearchParams(body))
    if (path === '/v1/billing/meters') return { status: 200, body: { object: 'list', url: path, has_more: false, data: listMeters() } }
    const meter = /^\/v1\/billing\/meters\/mtr_(\w+)\/event_summaries$/.exec(path)?.[1]
    if (meter !== undefined) return summarise(meter, path, url.searchParams)
    if (path === '/v2/billing/meter_event_session') {
      const token = `token_${tokens.size}`
      tokens.set(token, now() + 15 * 60_000)
      const expires = new Date(now() + 15 * 60_000).toISOString()
      return {
        status: 200,
        body: { object: 'v2.billing.meter_event_session', id: token, authentication_token: token, expires_at: expires },
      }
    }
    if (path === '/v2/core/events') return { status: 200, body: { data: listReports(url.searchParams), next_page_url: null } }
    return refuse(`Unrecognized request URL (${method}: ${path})`, undefined, 404)
  }

  async function takeOne(form: URLSearchParams): Promise<Served> {
    if (second.at !== Math.floor(now() / 1000)) second = { at: Math.floor(now() / 1000), calls: 0 }
    second.calls += 1
    if (second.calls > 1000) return refuse('Too many requests', 'rate_limit', 429)
    const customer = form.get('payload[stripe_customer_id]') ?? ''
    const event = form.get('event_name') ?? ''
    const place = `${customer} ${event}`
    busy.set(place, (busy.get(place) ?? 0) + 1)
    most = Math.max(most, busy.get(place)!)
    try {
      if (busy.get(place)! > 1) return refuse('This object cannot be accessed right now', 'lock_timeout', 429)
      // Long enough for another one to come.
      await new Promise(resolve => setImmediate(resolve))
      const taken = {
        event,
        customer,
        identifier: form.get('identifier') ?? '',
        value: form.get('payload[value]') ?? '',
        timestamp: Number(form.get('timestamp')),
      }
      const wrong = check(taken)
      if (wrong !== undefined) return wrong.code === 'duplicate' ? refuse(wrong.message) : refuse(wrong.message, wrong.code)
      count(taken)
      const { identifier, timestamp } = taken
      return {
        status: 200,
        body: { object: 'billing.meter_event', event_name: event, identifier, timestamp, created: Math.floor(now() / 1000) },
      }
    } finally {
      busy.set(place, busy.get(place)! - 1)
    }
  }

  interface Taken {
    readonly event: string
    readonly customer: string
    readonly identifier: string
    readonly value: string
    readonly timestamp: number
  }

  function takeStream(token: string, body: string): Served {
    if ((tokens.get(token) ?? 0) <= now()) return refuse('The session has expired', undefined, 401, 'temporary_session_expired')
    const { events } = JSON.parse(body) as {
      events: { event_name: string; identifier: string; timestamp: string; payload: Record<string, string> }[]
    }
    if (events.length < 1 || events.length > 100) return refuse('events: expected 1 to 100', 'invalid_fields')
    for (const one of events) {
      const { event_name: event, identifier, timestamp, payload } = one
      const taken = {
        event,
        identifier,
        customer: payload.stripe_customer_id ?? '',
        value: payload.value ?? '',
        timestamp: Date.parse(timestamp) / 1000,
      }
      // It is looked at afterwards, and what is wrong is told in a report.
      const wrong = check(taken)
      if (wrong === undefined) count(taken)
      else if (wrong.code !== 'duplicate') report(taken, wrong.code)
    }
    return { status: 200, body: {} }
  }

  function check({ event, customer, identifier, value, timestamp }: Taken): { code: string; message: string } | undefined {
    const meter = fake.meters.get(event)
    if (meter === undefined || meter.status !== 'active') return { code: 'no_meter', message: 'No active meter found for the event name' }
    if (!fake.customers.has(customer)) return { code: 'resource_missing', message: `No such customer: '${customer}'` }
    if (identifier === '' || identifier.length > 100) return { code: 'invalid_identifier', message: 'identifier: at most 100 characters' }
    if (!/^-?\d+$/.test(value)) return { code: 'invalid_value', message: 'the value has to be a whole number' }
    if (!Number.isInteger(timestamp) || timestamp * 1000 < now() - 35 * DAY)
      return { code: 'timestamp_too_far_in_past', message: 'The timestamp is too far in the past' }
    if (timestamp * 1000 > now() + 5 * 60_000) return { code: 'timestamp_in_future', message: 'The timestamp is in the future' }
    if (ledger.some(one => one.identifier === identifier && now() - one.at < DAY))
      return { code: 'duplicate', message: `An event already exists with identifier ${identifier}.` }
    return undefined
  }

  function count(taken: Taken): void {
    if (fake.invalidLater.has(taken.customer)) report(taken, 'meter_event_customer_not_found')
    else ledger.push({ ...taken, value: Number(taken.value), at: now(), isCancelled: false })
  }

  function report({ event, identifier }: Taken, code: string): void {
    reports.push({ id: `evt_${reports.length}`, event, code, identifier, at: now() })
  }

  function cancel(form: URLSearchParams): Served {
    const identifier = form.get('cancel[identifier]')
    const found = ledger.findLast(one => one.identifier === identifier)
    if (found === undefined) return refuse(`No meter event found with identifier ${identifier}`)
    if (now() - found.at >= DAY) return refuse('The event was received more than 24 hours ago')
    if (found.isCancelled) return refuse('The event is already canceled')
    found.isCancelled = true
    return {
      status: 200,
      body: {
        object: 'billing.meter_event_adjustment',
        event_name: form.get('event_name'),
        status: 'pending',
        type: 'cancel',
        cancel: { identifier },
      },
    }
  }

  function summarise(event: string, path: string, query: URLSearchParams): Served {
    const [from, to, customer] = [Number(query.get('start_time')), Number(query.get('end_time')), query.get('customer')]
    if (from % 60 !== 0 || to % 60 !== 0 || !(from < to)) return refuse('start_time and end_time have to be whole minutes')
    const value = ledger
      .filter(one => one.event === event && one.customer === customer && !one.isCancelled && one.timestamp >= from && one.timestamp < to)
      .reduce((sum, one) => sum + one.value, 0)
    const data = [
      {
        id: 'sum_1',
        object: 'billing.meter_event_summary',
        aggregated_value: value,
        start_time: from,
        end_time: to,
        meter: `mtr_${event}`,
      },
    ]
    return { status: 200, body: { object: 'list', url: path, has_more: false, data } }
  }

  function listMeters(): object[] {
    return [...fake.meters].map(([event, { formula, status }]) => ({
      id: `mtr_${event}`,
      object: 'billing.meter',
      event_name: event,
      status,
      default_aggregation: { formula },
      customer_mapping: { type: 'by_id', event_payload_key: 'stripe_customer_id' },
      value_settings: { event_payload_key: 'value' },
    }))
  }

  function listReports(query: URLSearchParams): object[] {
    return reports
      .filter(one => `mtr_${one.event}` === query.get('object_id'))
      .toReversed()
      .map(({ id, code, identifier, at }) => ({
        id,
        object: 'v2.core.event',
        type: 'v1.billing.meter.error_report_triggered',
        created: new Date(at).toISOString(),
        data: {
          reason: {
            error_count: 1,
            error_types: [{ code, error_count: 1, sample_errors: [{ error_message: code, request: { identifier } }] }],
          },
        },
      }))
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const fake: FakeStripe = {
    port: (server.address() as AddressInfo).port,
    ledger,
    requests,
    fault: () => undefined,
    invalidLater: new Set(),
    meters: new Map([['tool_calls', { formula: 'sum', status: 'active' }]]),
    customers: new Set(['cus_acme', 'cus_globex', 'cus_initech']),
    mostAtOnce: () => most,
    total: (customer, event) =>
      ledger.filter(one => one.customer === customer && one.event === event && !one.isCancelled).reduce((sum, one) => sum + one.value, 0),
    async close() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
  return fake
}

function failure(type: string, message: string, code?: string): object {
  return { error: { type, message, ...(code !== undefined && { code }) } }
}

function answer(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_1', ...headers }).end(JSON.stringify(body))
}
