// What the body of an error response from a remote server says.

/** An error response may bring a message of the protocol, or anything else. */
export function isMessage(body: Uint8Array): boolean {
  return asText(body).includes('"jsonrpc"')
}

/** What servers say, as text or as an error of no request, where the specification has 404. */
const DENIES: ReadonlySet<number> = new Set([400, 401, 410, 503])
const LOST = /no valid|invalid|unknown|not found|not find|not exist|expired|terminated|closed/i

/** Of a response to a request that named a session. Servers made with the examples of the SDKs, of older ones and of frameworks do so. */
export function deniesSession(status: number, body: Uint8Array): boolean {
  if (!DENIES.has(status) || body.length > 2000) return false
  const text = asText(body)
  // Our ids are numbers: an error with one is the answer to its request, and may speak of other sessions.
  if (/"id"\s*:\s*\d/.test(text)) return false
  return (/session/i.test(text) && LOST.test(text)) || /server not initialized/i.test(text)
}

function asText(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
}
