// Keys of clouds: AWS, Google Cloud, Azure, DigitalOcean.
import { digits, isAlphanumeric, isDigit, letters, tableOf } from '../../characters.ts'
import type { PrefixDetector } from '../../detector.ts'
import { alphabets, type Form, isRandom } from './form.ts'

export const cloudForms: readonly Form[] = [
  { id: 'aws-key', prefixes: ['AKIA', 'ASIA', 'ABIA', 'ACCA'], body: 'capitals', least: 16, most: 16 },
  { id: 'aws-key', prefixes: ['ABSK'], body: 'base64', least: 109, most: 271 },
  { id: 'google-key', prefixes: ['AIza'], body: 'url', least: 35, most: 35 },
  { id: 'google-key', prefixes: ['GOCSPX-'], body: 'url', least: 28, most: 28 },
  { id: 'google-key', prefixes: ['ya29.'], body: 'dotted', least: 40 },
  { id: 'digitalocean-token', prefixes: ['dop_v1_', 'doo_v1_', 'dor_v1_'], body: 'hex', least: 64, most: 64 },
  { id: 'azure-key', prefixes: ['AccountKey=', 'SharedAccessKey='], body: 'base64', least: 43, most: 88, keepsPrefix: true },
]

const shortest = 31
const longest = 34
/** Three characters and a digit. */
const head = 4
const headCharacters = tableOf(`${letters}${digits}_~.`)

/** A client secret of Microsoft Entra: `Q~` after four characters, and 31 to 34 more. */
export const azureSecret: PrefixDetector = {
  id: 'azure-key',
  action: 'replace',
  on: 'prefix',
  prefixes: ['Q~'],
  body: alphabets.dotted!,
  embedded: true,
  find(text, at, from, floor) {
    const start = at - head
    if (start < floor || (start > floor && isAlphanumeric(text.charCodeAt(start - 1)))) return undefined
    if (!isDigit(text.charCodeAt(at - 1))) return undefined
    for (let i = start; i < at; i++) if (headCharacters[text.charCodeAt(i)] !== 1) return undefined
    let end = from
    while (end - from <= longest && alphabets.token68![text.charCodeAt(end)] === 1) end++
    while (end - from > shortest && isTrailing(text.charCodeAt(end - 1))) end--
    const size = end - from
    return size >= shortest && size <= longest && isRandom(text, from, end) ? { start, end } : undefined
  },
}

// A full stop, a slash or a sign after a value belongs to the sentence.
function isTrailing(code: number): boolean {
  return code === 0x2e || code === 0x3d || code === 0x2b || code === 0x2f
}
