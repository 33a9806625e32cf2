// Whose something is: a principal of a tenant, as one text that lanes, sessions and tokens go by.
import type { Principal } from './plugin/index.ts'

type Who = Pick<Principal, 'id' | 'tenant'>

/** Invariant: principals of different tenants are different, whatever their ids; neither holds a NUL. Empty for nobody in particular. */
export function ownerOf(principal: Who | undefined): string {
  return principal === undefined ? '' : `${principal.tenant}\0${principal.id}`
}

/** What `ownerOf` made a text of. */
export function readOwner(owner: string): Who {
  const [tenant = '', ...id] = owner.split('\0')
  return { tenant, id: id.join('\0') }
}
