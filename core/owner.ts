// Whose something is: a principal of a tenant, and who vouches for him, as one text that lanes, sessions, tasks and tokens go by.
import type { Person, Principal } from './plugin/index.ts'

/**
 * Invariant: principals of different tenants, and those whom different methods or issuers name, are different, whatever their ids: whoever
 * hands out ids in one place must not come by what belongs to an id of another. None of the four holds a NUL. Empty for nobody in particular.
 */
export function ownerOf(principal: Pick<Principal, 'id' | 'tenant' | 'via'> | undefined): string {
  if (principal === undefined) return ''
  const { tenant, id, via } = principal
  return `${tenant}\0${id}\0${via.method}\0${via.issuer ?? ''}`
}

/** Of whom `ownerOf` made a text. */
export function readOwner(owner: string): Pick<Principal, 'id' | 'tenant'> & { readonly method: string; readonly issuer: string } {
  const [tenant = '', id = '', method = '', issuer = ''] = owner.split('\0')
  return { tenant, id, method, issuer }
}

/** `tenant` undefined: in whichever. */
export function isOf(owner: string, { id, tenant }: Pick<Person, 'id' | 'tenant'>): boolean {
  const own = readOwner(owner)
  return own.id === id && (tenant === undefined || tenant === own.tenant)
}
