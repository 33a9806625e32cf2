// Values of the body that are mirrored in headers: how a text is written as a header value, and read again.
// Spec: 2026-07-28 basic/transports/streamable-http, "Value Encoding".

const START = '=?base64?'
const END = '?='
const PLAIN = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** As it is where it is plain ASCII without white space at its ends, else in base64 between the marks. */
export function writeHeaderValue(text: string): string {
  const isPlain = text === '' || (PLAIN.test(text) && !(text.startsWith(START) && text.endsWith(END)))
  return isPlain ? text : `${START}${Buffer.from(text).toString('base64')}${END}`
}

/** The text, or undefined where the header holds characters that may not stand there or base64 that is none. */
export function readHeaderValue(value: string): string | undefined {
  if (!value.startsWith(START) || !value.endsWith(END) || value.length < START.length + END.length) {
    return /^[\t\x20-\x7e]*$/.test(value) ? value : undefined
  }
  const inner = value.slice(START.length, -END.length)
  if (!BASE64.test(inner)) return undefined
  const bytes = Buffer.from(inner, 'base64')
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) ? text : undefined
}
