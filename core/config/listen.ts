// Addresses to listen on as people write them: `HOST:PORT`, `[::1]:3100`, `:3100`, `3100`, or a host.

export interface Address {
  readonly host?: string
  readonly port?: number
}

export function parseAddress(text: string): Address | undefined {
  const port = (digits: string): number | undefined => (/^\d{1,5}$/.test(digits) && Number(digits) <= 65_535 ? Number(digits) : undefined)
  const [, bracketed, bare = '', digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]*))(?::(\d+))?$/.exec(text) ?? []
  const host = bracketed ?? bare
  if (digits === undefined) {
    const only = port(bare)
    if (only !== undefined) return { port: only }
    return host === '' ? undefined : { host }
  }
  const number = port(digits)
  if (number === undefined) return undefined
  return host === '' ? { port: number } : { host, port: number }
}
