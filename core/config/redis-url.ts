// The URL of a Redis server: what one looks like.

/** `redis://` or `rediss://` (TLS), with a host, and at most a user, a password, a port and the number of a database. */
export function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(text)
  const isKnown = protocol === 'redis:' || protocol === 'rediss:'
  return isKnown && hostname !== '' && /^(\/\d{0,5})?$/.test(pathname) && search === '' && hash === '' && isDecodable(username + password)
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
