// Finds ids that a token could carry and that an API key or a certificate stands for already: what goes by the id alone takes one for the other.
import type { Principal } from 'mcpgw/plugin'
import type { IssuerConfig } from './jwt-config.ts'

type Named = Pick<Principal, 'id' | 'tenant'>

/** A sentence for each issuer that could name one of `taken`. */
export function findSameIds(issuers: readonly IssuerConfig[], taken: readonly Named[]): readonly string[] {
  return issuers.flatMap(issuer => {
    const ids = [...new Set(taken.filter(one => couldName(issuer, one)).map(({ id }) => id))].sort()
    if (ids.length === 0) return []
    const some = `${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ` and ${ids.length - 3} more` : ''}`
    return [
      `tokens of ${issuer.issuer} could have the id of an API key or a certificate (${some}): set an "idPrefix" that none of these has; policies, limits and budgets go by tenant and id`,
    ]
  })
}

function couldName({ idPrefix, tenant = 'default', tenants, claims }: IssuerConfig, one: Named): boolean {
  if (!one.id.startsWith(idPrefix)) return false
  return claims.tenant === undefined ? one.tenant === tenant : tenants === undefined || tenants.includes(one.tenant)
}
