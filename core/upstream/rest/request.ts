// From the arguments of a call to one HTTP request below the server's url; or to what is wrong with them, and no request.
import type { Json } from '../../mcp/json.ts'
import type { Headers } from '../remote/http-headers.ts'
import { cookieOf, headerOf, isMisfit, queryOf } from './parameters.ts'
import { fillTemplate, plainText } from './path.ts'
import type { RestTool } from './tool.ts'

export interface RestRequest {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly body?: Uint8Array
}

export interface RestBase {
  readonly url: URL
  /** What is configured, with names in lower case: nothing of a call stands in its place. */
  readonly headers: Headers
}

/** Longer than any server reads. */
const MAX_PATH = 64 * 1024
const REPEATED = { kind: 'repeated' } as const

/** A text says what is wrong; it names arguments, never what they are. */
export function requestOf(tool: RestTool, { url, headers: configured }: RestBase, args: Json): RestRequest | string {
  const left = new Set(args.keys())
  const take = (argument: string): Json | undefined => {
    left.delete(argument)
    const value = args.get(argument)
    return value?.type === 'null' ? undefined : value
  }
  const filled = fillTemplate(tool.path, variable => {
    const value = take(variable)
    return value === undefined ? undefined : plainText(value)
  })
  if ('wrong' in filled) return `\`${filled.variable}\` ${filled.wrong}`

  const query = url.search === '' ? [] : [url.search.slice(1)]
  const headers: Record<string, string> = {}
  const cookies = configured.cookie === undefined ? [] : [configured.cookie]
  for (const parameter of tool.parameters) {
    const { argument, name, required } = parameter
    const value = take(argument)
    if (value === undefined && required) return `\`${argument}\` must be given`
    if (value === undefined) continue
    const made =
      parameter.in === 'query'
        ? queryOf(name, parameter.style, value)
        : parameter.in === 'header'
          ? headerOf(parameter, value)
          : cookieOf(parameter, value)
    if (isMisfit(made)) return `\`${argument}\` ${made.wrong}`
    if (typeof made !== 'string') query.push(...made)
    else if (parameter.in === 'header') headers[name.toLowerCase()] = made
    else cookies.push(made)
  }

  let body: Uint8Array | undefined
  if (tool.body !== undefined) {
    const { argument, required, mediaType } = tool.body
    const isGiven = left.has(argument)
    left.delete(argument)
    // In a body `null` is a value.
    body = isGiven ? args.get(argument)!.bytes : undefined
    if (body === undefined && required) return `\`${argument}\` must be given`
    if (body !== undefined) headers['content-type'] = mediaType
  } else if (tool.others === 'body') {
    const taken = args.keys().filter(key => !left.has(key))
    body = (taken.length === 0 ? args : args.with(Object.fromEntries(taken.map(key => [key, undefined])))).bytes
    headers['content-type'] = 'application/json'
  } else if (tool.others === 'query') {
    for (const argument of left) {
      const value = args.get(argument)!
      const made = value.type === 'null' ? [] : queryOf(argument, REPEATED, value)
      if (isMisfit(made)) return `\`${argument}\` ${made.wrong}`
      query.push(...made)
    }
  }
  const [unknown] = tool.others === 'refused' ? left : []
  if (unknown !== undefined) return `the tool has no \`${unknown.slice(0, 100)}\``

  const path = url.pathname.replace(/\/$/, '') + filled.path
  const whole = (path === '' ? '/' : path) + (query.length === 0 ? '' : `?${query.join('&')}`)
  if (whole.length > MAX_PATH) return 'the arguments are too long for a URL'
  const { cookie: _, ...others } = configured
  if (cookies.length > 0) headers.cookie = cookies.join('; ')
  return { method: tool.method, path: whole, headers: { ...headers, ...others }, ...(body !== undefined && { body }) }
}
