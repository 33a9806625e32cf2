// Secrets without a form of their own: only the name in front of them, or that of their member, tells what they are.
import { isAlphanumeric, spanOf } from '../../characters.ts'
import type { PrefixDetector, Range } from '../../detector.ts'
import { alphabets, isRandom } from './form.ts'

interface NamedSecret {
  readonly id: string
  /** Lower-case words of the end of the name. */
  readonly names: readonly string[]
  readonly body: keyof typeof alphabets
  readonly sizes: readonly number[]
  readonly form?: RegExp
}

const secrets: readonly NamedSecret[] = [
  { id: 'aws-secret-key', names: ['secret access key', 'aws secret key'], body: 'base64', sizes: [40] },
  { id: 'azure-key', names: ['storage key', 'account key'], body: 'base64', sizes: [88], form: /==$/ },
  { id: 'twilio-key', names: ['twilio auth token', 'twilio token'], body: 'hex', sizes: [32] },
  {
    id: 'datadog-key',
    names: ['dd api key', 'dd app key', 'dd application key', 'datadog api key', 'datadog app key'],
    body: 'hex',
    sizes: [32, 40],
  },
  {
    id: 'mailgun-key',
    names: ['mailgun api key', 'mailgun key'],
    body: 'dashed',
    sizes: [50],
    form: /^[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}$/,
  },
]
/** Between a name and its value: `: `, ` = `, `": "`, `\": \"`, ` is `. */
const between = /^["'`\\]{0,3} {0,4}(?:=>|:=|[:=]|is|to)? {0,4}["'`\\]{0,3}/
const widest = 20

export const namedSecrets: readonly PrefixDetector[] = secrets.map(toDetector)

function toDetector({ id, names, body, sizes, form }: NamedSecret): PrefixDetector {
  const table = alphabets[body]!
  const fits = (value: string): boolean =>
    sizes.includes(value.length) &&
    spanOf(value, 0, table) === value.length &&
    (form?.test(value) ?? true) &&
    isRandom(value, 0, value.length)
  return {
    id,
    action: 'replace',
    on: 'prefix',
    prefixes: names.flatMap(spellings),
    body: table,
    literalSuffices: true,
    embedded: true,
    alone: { keys: names.map(name => name.replaceAll(' ', '')), sizes, fits },
    find(text, _at, from): Range | undefined {
      const gap = between.exec(text.slice(from, from + widest))![0].length
      if (gap === 0) return undefined
      const start = from + gap
      for (const size of sizes) {
        const end = start + size
        if (table[text.charCodeAt(end)] === 1 || isAlphanumeric(text.charCodeAt(end))) continue
        if (fits(text.slice(start, end))) return { start, end }
      }
      return undefined
    },
  }
}

/** `secret_access_key`, `SECRET-ACCESS-KEY`, `SecretAccessKey`, `Secret access key`, ... */
function spellings(name: string): readonly string[] {
  const words = name.split(' ')
  const capital = words.map(word => word[0]!.toUpperCase() + word.slice(1))
  const camel = words[0]! + capital.slice(1).join('')
  const joined = [words, words.map(word => word.toUpperCase())].flatMap(each => [each.join('_'), each.join('-'), each.join(' ')])
  return [
    ...new Set([...joined, capital.join(''), camel, capital.join('-'), capital.join(' '), capital[0]! + name.slice(words[0]!.length)]),
  ]
}
