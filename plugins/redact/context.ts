// Which words name a value: in the key of its member, or in the text just before it. Each character is read at most once.
import type { Detector } from './detector.ts'

const reach = 40
/** Between the words of a phrase: `tax_file`, `tax - file`. */
const widestGap = 3
const longestWord = 31
const backslash = 0x5c
const escapes = new Set('nrtbf"/'.split('').map(character => character.charCodeAt(0)))

// The lower-case ASCII letter that a character up to Latin Extended-A stands for, accents taken off; 0 where it is no letter.
const letters = Uint8Array.from({ length: 0x180 }, (_, code) => {
  const plain = String.fromCharCode(code).normalize('NFD').charAt(0).toLowerCase()
  return /^[a-z]$/.test(plain) ? plain.charCodeAt(0) : 0
})

/** Whether a word of a detector stands in the key, or ends within 40 characters before `at`; to be asked from the front to the back. */
export type IsNamed = (detector: Detector, at: number) => boolean

export interface Vocabulary {
  open(text: string, key: string): IsNamed
  /** The same for raw JSON text, where any word anywhere counts. */
  openAll(json: string): IsNamed
}

interface Phrase {
  readonly index: number
  /** The words before the last one. */
  readonly before: readonly string[]
}

export function compileVocabulary(detectors: readonly Detector[]): Vocabulary {
  const phrases = new Map<string, Phrase[]>()
  const indexes = new Map<string, number>()
  for (const { id, words = [] } of detectors) {
    const index = indexes.get(id) ?? indexes.size
    if (words.length > 0) indexes.set(id, index)
    for (const phrase of words) {
      const parts = phrase.split(' ')
      const last = parts.pop()!
      phrases.set(last, [...(phrases.get(last) ?? []), { index, before: parts }])
    }
  }
  /** For each first letter of a last word, a bit for each length that there is: most words are told apart by it. */
  const lengths = new Int32Array(128)
  for (const word of phrases.keys()) lengths[word.charCodeAt(0)]! |= 1 << word.length

  /** Notes in `seen` the end of each phrase between two offsets. */
  function read(text: string, from: number, to: number, seen: Int32Array): void {
    /** Start and end of the last words, the newest first. */
    let [start1, end1, start2, end2] = [0, -widestGap - 1, 0, -widestGap - 1]
    for (let i = from; i < to; ) {
      const code = text.charCodeAt(i)
      if (code === backslash && escapes.has(text.charCodeAt(i + 1))) i += 2
      else if (letterAt(text, i) === 0) i++
      else {
        const start = i
        i = endOfWord(text, i, to)
        const size = i - start
        if (size <= longestWord && (lengths[letterAt(text, start)]! >> size) & 1) {
          for (const { index, before } of phrases.get(plain(text, start, i)) ?? []) {
            if (before.length > 0 && !(start - end1 <= widestGap && plain(text, start1, end1) === before.at(-1))) continue
            if (before.length > 1 && !(start1 - end2 <= widestGap && plain(text, start2, end2) === before[0])) continue
            seen[index] = i
          }
        }
        ;[start2, end2, start1, end1] = [start1, end1, start, i]
      }
    }
  }

  function readAll(text: string): Int32Array {
    const seen = new Int32Array(indexes.size).fill(-1)
    read(text, 0, text.length, seen)
    return seen
  }

  return {
    open(text, key) {
      const inKey = readAll(key)
      const seen = new Int32Array(indexes.size).fill(-reach - 1)
      let done = 0
      return ({ id }, at) => {
        const index = indexes.get(id)
        if (index === undefined) return false
        if (inKey[index]! >= 0) return true
        if (done < at) {
          let from = Math.max(done, at - reach - longestWord)
          while (from > done && letterAt(text, from - 1) !== 0 && at - from < reach + 2 * longestWord) from--
          read(text, from, at, seen)
          done = at
        }
        return at - seen[index]! <= reach
      }
    },
    openAll(json) {
      const seen = readAll(json)
      return ({ id }) => (seen[indexes.get(id) ?? -1] ?? -1) >= 0
    },
  }
}

// nhsNumber is two words, NHS one.
function endOfWord(text: string, from: number, to: number): number {
  let i = from + 1
  while (i < to && letterAt(text, i) !== 0 && !(isCapitalAt(text, i) && !isCapitalAt(text, i - 1))) i++
  return i
}

function letterAt(text: string, i: number): number {
  return letters[text.charCodeAt(i)] ?? 0
}

function isCapitalAt(text: string, i: number): boolean {
  const code = text.charCodeAt(i)
  return code >= 65 && code <= 90
}

function plain(text: string, start: number, end: number): string {
  let word = ''
  for (let i = start; i < end; i++) word += String.fromCharCode(letterAt(text, i))
  return word
}
