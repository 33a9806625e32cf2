// Public names: how a tool or prompt of a server is called downstream, and when two names look alike.
import { createHash } from 'node:crypto'

const SEPARATOR = '__'
// Model providers accept [A-Za-z0-9_-]{1,64} only; anything else is replaced and made unique by a hash.
const MAX_LENGTH = 64
const SAFE = /^[A-Za-z0-9_-]+$/

/** `server__tool`, or a shortened form with a hash where that would not be accepted by model providers. */
export function qualify(server: string, name: string): string {
  const plain = server + SEPARATOR + name
  if (isPlain(plain)) return plain
  const hash = createHash('sha256').update(plain).digest('hex').slice(0, 8)
  return `${plain.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_LENGTH - 9)}_${hash}`
}

/** Those of `servers` that a qualified name can belong to. An index only: the tool is always found by lookup. */
export function serversOf(publicName: string, servers: readonly string[]): readonly string[] {
  return servers.filter(server => publicName.startsWith(server + SEPARATOR))
}

/** True where model providers accept the name as it is. */
export function isPlain(name: string): boolean {
  return name.length <= MAX_LENGTH && SAFE.test(name)
}

/** Names with equal skeletons look alike to a person (Unicode TR39, the letters that matter in identifiers). */
export function skeleton(name: string): string {
  let out = ''
  for (const char of name.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '')) out += CONFUSABLE[char] ?? char
  return out.toLowerCase().normalize('NFKC')
}

const CONFUSABLE: Readonly<Record<string, string>> = Object.freeze({
  __proto__: null as never,
  // Cyrillic
  а: 'a',
  в: 'b',
  е: 'e',
  ѕ: 's',
  і: 'i',
  ј: 'j',
  к: 'k',
  м: 'm',
  н: 'h',
  о: 'o',
  р: 'p',
  с: 'c',
  т: 't',
  у: 'y',
  х: 'x',
  ԁ: 'd',
  ԛ: 'q',
  ԝ: 'w',
  һ: 'h',
  А: 'a',
  В: 'b',
  Е: 'e',
  Ѕ: 's',
  І: 'i',
  Ј: 'j',
  К: 'k',
  М: 'm',
  Н: 'h',
  О: 'o',
  Р: 'p',
  С: 'c',
  Т: 't',
  У: 'y',
  Х: 'x',
  // Greek
  α: 'a',
  β: 'b',
  ε: 'e',
  ι: 'i',
  κ: 'k',
  ν: 'v',
  ο: 'o',
  ρ: 'p',
  τ: 't',
  υ: 'u',
  χ: 'x',
  Α: 'a',
  Β: 'b',
  Ε: 'e',
  Η: 'h',
  Ι: 'i',
  Κ: 'k',
  Μ: 'm',
  Ν: 'n',
  Ο: 'o',
  Ρ: 'p',
  Τ: 't',
  Χ: 'x',
  // Latin look-alikes
  ı: 'i',
  ɑ: 'a',
  ɡ: 'g',
  ʟ: 'l',
  ո: 'n',
  ս: 'u',
  օ: 'o',
  '‐': '-',
  '‑': '-',
  '–': '-',
  '—': '-',
  '−': '-',
})
