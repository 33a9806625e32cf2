// One entry of a client's file as one of the config: references in our form, secrets by name, and what stays open.
import { looksSecret } from '../clients/secret-values.ts'
import { type FoundServer, isRecord } from './collect.ts'

export interface Translated {
  readonly id: string
  readonly from: string
  /** As it goes into `servers`. */
  readonly item: Readonly<Record<string, unknown>>
  readonly secrets: readonly MovedSecret[]
  /** What a person should know or do. */
  readonly notes: readonly string[]
}

export interface MovedSecret {
  readonly name: string
  /** `env.GITHUB_TOKEN`. */
  readonly place: string
  /** Absent: the file does not have it; somebody has to write it down. */
  readonly value?: string
}

/** `folders`: what a client puts in for names of folders. */
export function translate({ name, id, from, entry }: FoundServer, folders: Readonly<Record<string, string>>): Translated {
  const secrets = new Map<string, MovedSecret>()
  const notes: string[] = []
  const reword = (text: string, place: string): string =>
    rewordReferences(text, folders, input => {
      const secret = secretName(id, input)
      if (!secrets.has(secret)) secrets.set(secret, { name: secret, place })
      return `\${secret:${secret}}`
    })
  const keep = (key: string, value: string, place: string): string => {
    const [, scheme = '', bare = ''] = /^((?:bearer|basic|token) +)?(.*)$/is.exec(value) ?? []
    if (!looksSecret(key, value)) return reword(value, place)
    const secret = secretName(id, key)
    secrets.set(secret, { name: secret, place, value: bare })
    return `${scheme}\${secret:${secret}}`
  }
  const map = (part: 'env' | 'headers'): object => {
    const given = entry[part]
    if (!isRecord(given) || Object.keys(given).length === 0) return {}
    const pairs = Object.entries(given).map(([key, value]) => [key, keep(key, String(value), `${part}.${key}`)])
    return { [part]: Object.fromEntries(pairs) }
  }
  const words = (value: unknown): string[] => (Array.isArray(value) ? value.map(word => reword(String(word), 'args')) : [])

  const item: Record<string, unknown> = { id, ...(name !== id && { name }) }
  if (typeof entry.url === 'string') {
    Object.assign(item, { url: reword(entry.url, 'url') }, entry.type === 'sse' && { protocol: 'sse' }, map('headers'))
    if (/[?&][^=]*(key|token|secret)[^=]*=|:\/\/[^/]*@/i.test(entry.url))
      notes.push('its url holds what looks like a secret, which stays there')
  } else {
    const args = words(entry.args)
    Object.assign(item, { command: reword(String(entry.command), 'command') }, args.length > 0 && { args })
    if (typeof entry.cwd === 'string') item.cwd = reword(entry.cwd, 'cwd')
    Object.assign(item, map('env'))
    if (
      args.some(
        (word, at) =>
          looksSecret(args[at - 1]?.replace(/^--?/, '') ?? '', word) || /^--?[\w-]*(key|token|secret|passw)[\w-]*=./i.test(word),
      )
    )
      notes.push('its arguments hold what looks like a secret, which stays there: better a variable of env')
  }
  if (entry.disabled === true || entry.enabled === false) item.enabled = false
  for (const key of Object.keys(entry).filter(one => !KNOWN.has(one))) {
    notes.push(LIMITING.test(key) ? `"${key}" is not taken over: say it with a rule of the policy` : `"${key}" has no meaning here`)
  }
  for (const { name: secret, value, place } of secrets.values())
    if (value === undefined) notes.push(`${place} is asked for by the client: write it into the secret ${secret}`)
  return { id, from, item, secrets: [...secrets.values()], notes }
}

const KNOWN = new Set(['type', 'command', 'args', 'env', 'cwd', 'url', 'headers', 'disabled', 'enabled'])
const LIMITING = /tools$|^alwaysAllow$|^autoApprove$/i

export function secretName(id: string, key: string): string {
  return `${id}-${key}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
    .slice(0, 128)
}

/** `${NAME}` and `${env:NAME}` mean the same here; folders are put in, inputs become secrets, all else is meant as it stands. */
function rewordReferences(text: string, folders: Readonly<Record<string, string>>, input: (id: string) => string): string {
  return text.replaceAll(/\$\{([^}]*)\}/g, (whole, body: string) => {
    if (Object.hasOwn(folders, body)) return folders[body]!
    if (body.startsWith('input:')) return input(body.slice('input:'.length))
    return /^(env:)?[A-Za-z_]\w*$/.test(body) ? whole : `$${whole}`
  })
}
