// Whose counter it is: nothing that the client chooses makes it another one.
import { type Exchange, nameOf, networkOf, type Resource } from 'mcpgw/plugin'

export const pers = ['principal', 'tenant', 'key', 'server', 'tool', 'address', 'all'] as const
export type Per = (typeof pers)[number]

/** Equal for all whose requests count together. */
export function whoseOf(per: Per, x: Exchange): string {
  const { principal, peer, resource } = x
  switch (per) {
    case 'principal':
      // A principal is one of his tenant.
      return principal === undefined ? addressOf(peer.ip) : `${principal.tenant}\0${principal.id}`
    case 'tenant':
      return principal?.tenant ?? ''
    case 'key':
      return keyOf(x) === undefined ? whoseOf('principal', x) : `key\0${keyOf(x)}`
    case 'server':
      return 'server' in resource ? resource.server : ''
    case 'tool':
      return 'server' in resource ? `${resource.kind}\0${resource.server}\0${listedName(resource)}` : ''
    case 'address':
      return addressOf(peer.ip)
    case 'all':
      return ''
  }
}

/** Tools and prompts have come as far as this only by a name that their server lists; uris, and methods that nobody knows, are whatever the client writes. */
function listedName(resource: Resource): string {
  return resource.kind === 'call' || resource.kind === 'prompt' ? nameOf(resource) : ''
}

/** The id of the API key that it came with. Another credential has ids too, but whoever gets a new token must not get a new counter. */
export function keyOf({ principal }: Exchange): string | undefined {
  return principal?.via.method === 'api-key' ? principal.via.keyId : undefined
}

/** Of an IPv6 network of 64 bits, which is what one customer has, all addresses are one. `ip` in canonical form. */
export function addressOf(ip = ''): string {
  return `ip\0${networkOf(ip)}`
}
