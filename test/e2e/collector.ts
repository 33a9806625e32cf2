// A collector of telemetry for tests: takes whatever is posted, and shows the spans in it.
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: string }
}
export interface ShownSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly attributes: readonly Attribute[]
}

export interface Collector {
  readonly url: string
  readonly got: readonly { readonly path: string; readonly headers: IncomingHttpHeaders; readonly text: string }[]
  spans(): ShownSpan[]
  /** Resolves when something is posted there. */
  heard(path: string): Promise<unknown>
}

export async function startCollector(): Promise<Collector> {
  const got: { path: string; headers: IncomingHttpHeaders; text: string }[] = []
  const arrivals = new EventEmitter()
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    request.on('end', () => {
      got.push({ path: request.url ?? '', headers: request.headers, text })
      arrivals.emit(request.url ?? '')
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const spans = (): ShownSpan[] =>
    got
      .filter(({ path }) => path === '/v1/traces')
      .flatMap(({ text }) => JSON.parse(text).resourceSpans)
      .flatMap(resource => resource.scopeSpans)
      .flatMap(scope => scope.spans)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got, spans, heard: (path: string) => once(arrivals, path) }
}
