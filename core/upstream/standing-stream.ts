// The stream on which a remote server speaks outside of any request: opened with GET, opened again when it breaks.
import type { Dispatcher } from 'undici'
import { createSseParser } from '../mcp/sse.ts'
import type { Log } from '../plugin/index.ts'
import { mediaType, single } from './http-headers.ts'

export interface StandingStream {
  close(): void
}

export interface StandingStreamOptions {
  readonly pool: Dispatcher
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  readonly log: Log
  message(bytes: Uint8Array): void
}

const RETRY_MS = [1000, 2000, 5000, 15_000, 30_000]

// Spec: basic/transports, "Listening for Messages from the Server": 405 means that the server has no such stream.
export function openStandingStream({ pool, path, headers, maxBytes, log, message }: StandingStreamOptions): StandingStream {
  let closed = false
  let running: Dispatcher.DispatchController | undefined
  let timer: NodeJS.Timeout | undefined

  function retry(attempt: number): void {
    running = undefined
    if (closed) return
    timer = setTimeout(() => listen(attempt), RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)])
    timer.unref()
  }

  function listen(attempt: number): void {
    let parser: ReturnType<typeof createSseParser> | undefined
    let again = false
    pool.dispatch(
      { path, method: 'GET', headers: { ...headers, accept: 'text/event-stream' } },
      {
        onRequestStart(controller) {
          running = controller
          if (closed) controller.abort(new Error('closed'))
        },
        onResponseStart(controller, status, responseHeaders) {
          again = status >= 500
          if (status !== 200 || mediaType(single(responseHeaders['content-type'])) !== 'text/event-stream') return
          again = true
          parser = createSseParser({
            maxEventBytes: maxBytes,
            onEvent: event => {
              if (event.data.length > 0) message(event.data)
            },
            onFault: fault => {
              log.warn('bad event stream', { fault: fault.message })
              controller.abort(new Error('bad stream'))
            },
          })
        },
        onResponseData(_controller, chunk) {
          parser?.push(chunk)
        },
        onResponseEnd() {
          if (again) retry(parser === undefined ? attempt + 1 : 0)
        },
        onResponseError() {
          retry(attempt + 1)
        },
      },
    )
  }

  listen(0)
  return {
    close() {
      closed = true
      clearTimeout(timer)
      running?.abort(new Error('closed'))
    },
  }
}
