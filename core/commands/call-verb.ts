// A verb of a plugin as another command calls it: the real one, as one types it, with what it prints on stdout as data.
import { builtInVerbs } from './plugin-verbs.ts'
import type { VerbIo } from './verb.ts'

export interface Answered {
  readonly code: number
  /** The JSON document. */
  readonly said: unknown
}

/** `plugin` brings it; `path`: e.g. `['audit', 'log']`. */
export async function callVerb(
  io: VerbIo,
  plugin: string,
  path: readonly string[],
  args: VerbIo['args'],
  options: VerbIo['options'],
): Promise<Answered> {
  const verbs = await builtInVerbs([plugin], io)
  const verb = verbs.find(one => one.path.join(' ') === path.join(' '))
  if (verb === undefined) throw new Error(`there is no command ${path.join(' ')}`)
  const preset = Object.fromEntries(
    (verb.options ?? []).flatMap(one => (one.default === undefined ? [] : [[nameOf(one.flags), one.default]])),
  )
  let out = ''
  let err = ''
  const code = await (await verb.load())({
    ...io,
    args,
    options: { ...preset, ...io.options, ...options, json: true },
    json: true,
    interactive: false,
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
  })
  if (out === '') throw Object.assign(new Error(`${path.join(' ')}: ${err.trim()}`), { code: 'verb-failed' })
  return { code, said: JSON.parse(out) }
}

// As commander names them: `-n, --limit <n>` is `limit`.
function nameOf(flags: string): string {
  return (/--([a-z-]+)/.exec(flags)?.[1] ?? '').replaceAll(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase())
}
