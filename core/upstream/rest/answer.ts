// What a plain HTTP server answers, as the result of a tool call: JSON that was scanned strictly, or text; a status of failure as an error of the tool.
import { isFault, Json, type JsonLimits } from '../../mcp/json.ts'
import { mediaType } from '../remote/http-headers.ts'
import type { TransportFault } from '../transport.ts'
import type { HttpResponse } from './send.ts'

/** What is told of the body of a failure. */
const MAX_ERROR_BYTES = 4096

export function resultOf(response: HttpResponse, limits: JsonLimits, isStructured: boolean): Json | TransportFault {
  const { status, contentType, body } = response
  const type = mediaType(contentType)
  if (status < 200 || status > 299) return textResult(failureText(status, type, body), true)
  if (body.length === 0) return textResult(`HTTP ${status}, without content`, isStructured)
  if (isJson(type)) {
    const json = Json.scan(body, limits)
    if (isFault(json))
      return { code: 'upstream-garbage', detail: `${json.code} at byte ${json.offset} of the answer: ${json.message}`, status }
    const content = textResult(json.text, isStructured && json.type !== 'object')
    return json.type === 'object' ? content.with({ structuredContent: json }) : content
  }
  if (isText(type)) return textResult(decode(body), isStructured)
  return textResult(`HTTP ${status}: ${body.length} bytes that are no text, which are left out`, isStructured)
}

export function textResult(text: string, isError: boolean): Json {
  return Json.of({ content: [{ type: 'text', text }], ...(isError && { isError }) })
}

function failureText(status: number, type: string, body: Uint8Array): string {
  if (status >= 300 && status < 400) return `HTTP ${status}: the server leads elsewhere, and is not followed`
  const isReadable = (isJson(type) || isText(type)) && body.length > 0
  const text = isReadable ? decode(body.subarray(0, MAX_ERROR_BYTES)) : ''
  return text === '' ? `HTTP ${status}` : `HTTP ${status}: ${text}`
}

function isJson(type: string): boolean {
  return type === 'application/json' || /^[a-z]+\/[a-z0-9.-]+\+json$/.test(type)
}

function isText(type: string): boolean {
  return type.startsWith('text/') || /^application\/(xml|yaml|[a-z0-9.-]+\+xml)$/.test(type)
}

function decode(body: Uint8Array): string {
  return new TextDecoder().decode(body)
}
