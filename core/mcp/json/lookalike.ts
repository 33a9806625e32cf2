// Recognises keys that another reader might take for a reserved one: other case, or characters that fold to the same letters.
import { decodeString } from './tape.ts'

/** Reserved keys, ASCII only, prepared for comparison. */
export interface ReservedKeys {
  readonly byLength: readonly (readonly string[] | undefined)[]
  readonly byFold: ReadonlyMap<string, string>
}

export function reserve(names: readonly string[]): ReservedKeys {
  const byLength: string[][] = []
  for (const name of names) {
    byLength[name.length] ??= []
    byLength[name.length]!.push(name)
  }
  return { byLength, byFold: new Map(names.map(name => [fold(name), name])) }
}

/** The reserved key that the key between `start` and `end` resembles without being it. */
export function resembles(bytes: Buffer, start: number, end: number, reserved: ReservedKeys): string | undefined {
  if (end < 0 || !isAscii(bytes, start, end)) {
    const key = decodeString(bytes, start, end)
    const twin = reserved.byFold.get(fold(key))
    return twin === key ? undefined : twin
  }
  const sameLength = reserved.byLength[end - start]
  if (sameLength === undefined) return undefined
  for (const one of sameLength) {
    let differs = false
    let i = 0
    for (; i < one.length; i++) {
      const byte = bytes[start + i]!
      const wanted = one.charCodeAt(i)
      if (byte === wanted) continue
      if (lower(byte) !== lower(wanted)) break
      differs = true
    }
    if (i === one.length) return differs ? one : undefined
  }
  return undefined
}

/** Compatibility forms (full width letters) and both ways of case: the long s and the Kelvin sign fold to s and k. */
function fold(key: string): string {
  return key.normalize('NFKC').toUpperCase().toLowerCase()
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return false
  return true
}
