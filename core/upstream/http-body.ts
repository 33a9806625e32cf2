// What the body of an error response from a remote server says.

/** An error response may bring a message of the protocol, or anything else. */
export function isMessage(body: Uint8Array): boolean {
  return asText(body).includes('"jsonrpc"')
}

/** Servers made with the SDK's examples say 400 where the specification has 404, as an error without an id. */
export function deniesSession(body: Uint8Array): boolean {
  const text = body.length < 2000 ? asText(body) : ''
  return /"id"\s*:\s*null/.test(text) && /session|not initialized/i.test(text)
}

function asText(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
}
