// Commands as a shell completes them: what may follow at each place.
import type { Verb } from '../verb.ts'

export interface Node {
  /** Words so far, each with a blank before it: ``, ` audit`, ` audit log`. */
  readonly path: string
  /** Next words, and what the first argument may be. */
  readonly words: readonly Word[]
  readonly options: readonly Word[]
}

export interface Word {
  readonly word: string
  readonly summary: string
}

const EVERYWHERE: readonly Word[] = [
  { word: '--json', summary: 'one JSON document on stdout' },
  { word: '--config', summary: 'config file' },
  { word: '--data-dir', summary: 'data directory' },
  { word: '--help', summary: 'show help' },
]

export function listNodes(verbs: readonly Verb[]): readonly Node[] {
  const nodes = new Map<string, { words: Map<string, string>; options: Map<string, string> }>()
  const at = (path: string) => {
    const node = nodes.get(path) ?? { words: new Map(), options: new Map() }
    nodes.set(path, node)
    return node
  }
  at('').options.set('--help', 'show help').set('--version', 'show the version')
  for (const verb of verbs) {
    const paths = verb.alias === undefined ? [verb.path] : [verb.path, [...verb.path.slice(0, -1), verb.alias]]
    for (const words of paths) {
      let path = ''
      for (const [index, word] of words.entries()) {
        const isWhole = index === words.length - 1
        const parent = at(path)
        if (isWhole || !parent.words.has(word)) parent.words.set(word, isWhole ? verb.summary : `commands of ${word}`)
        path += ` ${word}`
      }
      const node = at(path)
      for (const { flags, summary } of verb.options ?? []) node.options.set(/--[\w-]+/.exec(flags)?.[0] ?? flags, summary)
      for (const { word, summary } of EVERYWHERE) node.options.set(word, summary)
      for (const choice of verb.args?.[0]?.choices ?? []) node.words.set(choice, verb.args?.[0]?.summary ?? '')
    }
  }
  const listed = (map: ReadonlyMap<string, string>): Word[] => [...map].map(([word, summary]) => ({ word, summary })).toSorted(byWord)
  return [...nodes].map(([path, { words, options }]) => ({ path, words: listed(words), options: listed(options) }))
}

function byWord(a: Word, b: Word): number {
  return a.word < b.word ? -1 : 1
}

/** For a shell: within single quotes nothing means anything. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
