// Headers of requests to remote servers, and of their responses as undici gives them.

export type Headers = Readonly<Record<string, string>>

/** So that no name can be said twice. */
export function lowerCased(configured: Headers): Headers {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(configured)) headers[name.toLowerCase()] = value
  return headers
}

/** What each message is sent with. */
export function baseHeaders(configured: Headers): Headers {
  return { ...lowerCased(configured), accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
}

const MIRRORED = /^mcp-(protocol-version|method|name|param-[\w!#$%&'*+.^`|~-]+)$/i

/** Adds what a revision mirrors of a request. Invariant: nothing else can be set so, and what is configured stays. */
export function withMirrored(base: Headers, mirrored: Headers): Headers {
  const headers: Record<string, string> = {}
  for (const name in mirrored) if (MIRRORED.test(name)) headers[name.toLowerCase()] = mirrored[name]!
  return Object.assign(headers, base)
}

/** For a stream that is asked for with GET; `lastEventId`: what came last of it. */
export function streamHeaders(headers: Headers, lastEventId?: string): Headers {
  const { 'content-type': _, ...rest } = headers
  const asked = { ...rest, accept: 'text/event-stream' }
  // Spec: WHATWG HTML, 9.2.4: it is sent as UTF-8; undici writes one byte for each character.
  return lastEventId === undefined ? asked : { ...asked, 'last-event-id': Buffer.from(lastEventId).toString('latin1') }
}

/** An event id that a header can carry, and that any server takes back. */
export function isSendable(lastEventId: string): boolean {
  return lastEventId.length <= 4096 && /^\P{Cc}+$/u.test(lastEventId)
}

export function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

/** We ask for no compression, and read none. */
export function isEncoded(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return (single(headers['content-encoding']) ?? 'identity') !== 'identity'
}

/** Without parameters, lower case. */
export function mediaType(header: string | string[] | undefined): string {
  return (single(header) ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

/** For logs and health: nothing that a server made up is shown there. */
export function shownType(type: string): string {
  return /^[a-z]{1,20}\/[a-z0-9.+-]{1,40}$/.test(type) ? type : 'of no known media type'
}
