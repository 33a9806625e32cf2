// International bank account numbers (ISO 13616): the country's length and the mod-97 check.
import { isAlphanumeric, isCapital, isDigit } from '../characters.ts'
import type { CodeDetector, Range } from '../detector.ts'

// Country and length: the SWIFT registry, release 101.
const registry =
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
const lengths: ReadonlyMap<string, number> = new Map(registry.split(' ').map(entry => [entry.slice(0, 2), Number(entry.slice(2))] as const))

export const iban: CodeDetector = { id: 'iban', action: 'mask', on: 'code', find: findIban }

/** `at` is the first check digit. Groups may be separated by one space or dash. */
function findIban(text: string, at: number, floor: number): Range | undefined {
  const start = at - 2
  if (!isCapital(text.charCodeAt(start)) || !isCapital(text.charCodeAt(at - 1)) || !isDigit(text.charCodeAt(at + 1))) return undefined
  if (start < floor || (start > floor && isAlphanumeric(text.charCodeAt(start - 1)))) return undefined
  const length = lengths.get(text.slice(start, at))
  if (length === undefined) return undefined
  let rest = 0
  let i = at + 2
  for (let count = 4; count < length; i++) {
    const code = text.charCodeAt(i)
    const value = code < 128 ? values[code]! : none
    if (value !== none) {
      rest = add(rest, value)
      count++
    } else if ((code !== 0x20 && code !== 0x2d) || !isAlphanumeric(text.charCodeAt(i + 1))) return undefined
  }
  // ISO 13616: the country and the check digits come last, letters count 10 to 35.
  for (let k = start; k < at + 2; k++) rest = add(rest, values[text.charCodeAt(k)]!)
  return rest % 97 === 1 && !isAlphanumeric(text.charCodeAt(i)) ? { start, end: i } : undefined
}

// What a digit or a capital counts.
const none = 255
const values = new Uint8Array(128).fill(none)
for (let value = 0; value < 36; value++) values[value < 10 ? 48 + value : 55 + value] = value
// A larger one could not take two more digits as a small integer.
const largest = 10_000_000

/** Modulo 97, but for its last step: a division costs more than the rest of the loop. */
function add(rest: number, value: number): number {
  const next = value < 10 ? rest * 10 + value : rest * 100 + value
  return next > largest ? next % 97 : next
}
