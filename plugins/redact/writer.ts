// What stands in place of a finding, by its action.
import { createHmac } from 'node:crypto'
import { isAlphanumeric } from './characters.ts'
import type { Action } from './detector.ts'
import { labelOf } from './finding.ts'

/** Of one pass over one message: what it writes, and whether the message may pass at all. */
export interface Writer {
  write(id: string, action: Action, value: string): string
  /** The id of a finding whose action is `block`. */
  blocked: string | undefined
}

/** Keyed by a secret of this gateway and by tenant: equal values have equal tokens, and no token tells of its value. */
export interface TokenScope {
  readonly key: Uint8Array
  readonly tenant: string
}

const kept = 4
const tokenDigits = 12

export function createWriter(scope?: TokenScope): Writer {
  return {
    blocked: undefined,
    write(id, action, value) {
      switch (action) {
        case 'mask':
          return maskButLast(value)
        case 'token':
          return scope === undefined ? labelOf(id) : `[${labelOf(id).slice(1, -1)} ${digest(scope, id, value)}]`
        case 'block':
          this.blocked ??= id
          return labelOf(id)
        case 'replace':
        case 'drop':
          return labelOf(id)
      }
    },
  }
}

/** What has less than eight characters keeps none: four of them would be most of it. */
function maskButLast(found: string): string {
  const characters = Array.from(found)
  const hidden = characters.map(isLetterOrDigit)
  const total = hidden.filter(Boolean).length
  let left = total < kept * 2 ? total : total - kept
  let out = ''
  for (const [i, character] of characters.entries()) out += hidden[i] === true && left-- > 0 ? '*' : character
  return out
}

function isLetterOrDigit(character: string): boolean {
  const code = character.charCodeAt(0)
  return code < 128 ? isAlphanumeric(code) : /[\p{L}\p{N}]/u.test(character)
}

function digest({ key, tenant }: TokenScope, id: string, value: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([tenant, id, canonical(value)]))
    .digest('hex')
    .slice(0, tokenDigits)
}

/** One value, however it is written: groups and letter case do not matter. */
function canonical(value: string): string {
  const normal = value.normalize('NFKC').toLowerCase()
  return /^[a-z0-9 -]+$/.test(normal) ? normal.replace(/[ -]/g, '') : normal
}
