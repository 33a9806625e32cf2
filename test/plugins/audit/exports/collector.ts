// A collector of OpenTelemetry logs that answers as it is told to, and keeps what it was sent.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

export interface Answer {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface LogRecord {
  readonly body: { readonly stringValue: string }
  readonly eventName: string
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string; readonly intValue?: string } }[]
}

export interface Collector {
  readonly url: string
  /** The records of each request, as they came. */
  readonly got: readonly (readonly LogRecord[])[]
  /** By the records of the request. */
  behave(answer: (records: readonly LogRecord[]) => Answer): void
}

export const good: Answer = { status: 200, body: '{}' }
export const rejecting = (count: number): Answer => ({
  status: 200,
  body: JSON.stringify({ partialSuccess: { rejectedLogRecords: `${count}`, errorMessage: 'not "agent-1"' } }),
})

export async function startCollector(): Promise<Collector> {
  const got: (readonly LogRecord[])[] = []
  let next: (records: readonly LogRecord[]) => Answer = () => good
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk as Buffer))
    request.on('end', () => {
      const { resourceLogs } = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceLogs: { scopeLogs: { logRecords: LogRecord[] }[] }[]
      }
      const records = resourceLogs[0]!.scopeLogs[0]!.logRecords
      got.push(records)
      const { status, body = '', headers = {} } = next(records)
      response.writeHead(status, headers).end(body)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`,
    got,
    behave(answer) {
      next = answer
    },
  }
}
