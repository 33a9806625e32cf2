// One request to a plain HTTP server and its whole response, bounded; ended at once where nobody waits for it any more.
import type { Dispatcher } from 'undici'
import { type Collector, collect } from '../../mcp/gather.ts'
import type { Behalf } from '../behalf.ts'
import type { Sender } from '../remote/authorized.ts'
import { connectionFault } from '../remote/http-error.ts'
import { isEncoded, single } from '../remote/http-headers.ts'
import type { TransportFault } from '../transport.ts'
import type { RestRequest } from './request.ts'

export interface HttpResponse {
  readonly status: number
  /** As it was sent; empty where it was not. */
  readonly contentType: string
  readonly body: Uint8Array
}

export interface SendOptions {
  readonly behalf: Behalf | undefined
  readonly maxBytes: number
  readonly signal: AbortSignal
}

const ENOUGH = new Error('not needed any more')
const CANCELLED: TransportFault = { code: 'upstream-unavailable', detail: 'cancelled' }

/** Never rejects. */
export function sendRequest(sender: Sender, request: RestRequest, options: SendOptions): Promise<HttpResponse | TransportFault> {
  const { behalf, maxBytes, signal } = options
  return new Promise(resolve => {
    let controller: Dispatcher.DispatchController | undefined
    let status = 0
    let contentType = ''
    let body: Collector | undefined
    const end = (found: HttpResponse | TransportFault): void => {
      signal.removeEventListener('abort', cancel)
      resolve(found)
    }
    const cancel = (): void => {
      end(CANCELLED)
      controller?.abort(ENOUGH)
    }
    const refuse = (detail: string): void => {
      end({ code: 'upstream-garbage', detail, status })
      controller?.abort(ENOUGH)
    }
    signal.addEventListener('abort', cancel)
    const { method, path, headers, body: content } = request
    sender.dispatch(
      {
        path,
        method: method as Dispatcher.HttpMethod,
        headers: headers as Record<string, string>,
        body: content ?? null,
        ...(behalf && { behalf }),
      },
      {
        onRequestStart(given) {
          controller = given
          if (signal.aborted) given.abort(ENOUGH)
        },
        onResponseStart(_controller, given, responseHeaders) {
          if (given < 200) return
          status = given
          contentType = single(responseHeaders['content-type']) ?? ''
          if (isEncoded(responseHeaders)) return refuse('a content-encoding that was not asked for')
          body = collect(maxBytes)
        },
        onResponseData(_controller, chunk) {
          if (body?.push(chunk) === false) refuse(`the answer is larger than ${maxBytes} bytes`)
        },
        onResponseEnd() {
          end({ status, contentType, body: body?.take() ?? new Uint8Array() })
        },
        onResponseError(_controller, error) {
          end(connectionFault(error))
        },
      },
    )
  })
}
