// Verbs of plugins as the demo calls them: the real ones, as one types them, with what they print on stdout as data.
import { builtInVerbs } from '../plugin-verbs.ts'
import type { VerbIo } from '../verb.ts'

export interface Answered {
  readonly code: number
  /** The JSON document. */
  readonly said: unknown
}

/** `path`: e.g. `['audit', 'log']`. The plugin that owns it is its first word. */
export async function callVerb(io: VerbIo, path: readonly string[], args: VerbIo['args'], options: VerbIo['options']): Promise<Answered> {
  const verbs = await builtInVerbs(path.slice(0, 1), io)
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
  if (out === '') throw new Error(`${path.join(' ')}: ${err}`)
  return { code, said: JSON.parse(out) }
}

// As commander names them: `-n, --limit <n>` is `limit`.
function nameOf(flags: string): string {
  return (/--([a-z-]+)/.exec(flags)?.[1] ?? '').replaceAll(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase())
}
