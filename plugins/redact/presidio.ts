// Microsoft Presidio's analyzer as a detector: POST /analyze with a list of texts, offsets in code points.
import type { DetectedSpan, TextDetector } from 'mcpgw/plugin'
import { request } from 'undici'
import type { Action } from './detector.ts'

export interface PresidioConfig {
  readonly url: string
  readonly language: string
  /** Entities of Presidio, e.g. PERSON; all that it knows where absent. */
  readonly entities?: readonly string[] | undefined
  readonly minScore: number
  readonly action: Action
  readonly deadlineMs: number
}

// A span is some hundred bytes, with its explanation.
const longestAnswer = 32 * 1024 * 1024

export function createPresidio({ url, language, entities, minScore, action, deadlineMs }: PresidioConfig): TextDetector {
  const address = new URL('analyze', url.endsWith('/') ? url : `${url}/`)
  return {
    name: 'presidio',
    action,
    minScore,
    deadline: deadlineMs,
    async detect(texts, signal) {
      const body = JSON.stringify({ text: texts, language, score_threshold: minScore, ...(entities && { entities }) })
      const answer = await request(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal })
      const text = await readBody(answer.body)
      // What it says is not told on: it may repeat the texts.
      if (answer.statusCode !== 200) throw new Error(`the analyzer answered with status ${answer.statusCode}`)
      return toSpans(texts, parse(text))
    },
  }
}

async function readBody(body: AsyncIterable<unknown>): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    const bytes = part as Buffer
    size += bytes.length
    if (size > longestAnswer) throw new Error('the analyzer answered with more than 32 MiB')
    parts.push(bytes)
  }
  return Buffer.concat(parts).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Error('the analyzer answered with something that is no JSON')
  }
}

interface Recognized {
  readonly start: number
  readonly end: number
  readonly score: number
  readonly entity_type: string
}

/** Anything of another form is handed on as it is: whoever asked takes it for no answer. */
function toSpans(texts: readonly string[], answer: unknown): readonly (readonly DetectedSpan[])[] {
  if (!Array.isArray(answer)) throw new Error('the analyzer answered with no list: it must be a version that takes lists of texts')
  return (answer as readonly (readonly Recognized[])[]).map((found, i) => {
    if (!Array.isArray(found))
      throw new Error('the analyzer answered with no list for each text: it must be a version that takes lists of texts')
    const offset = createOffsets(texts[i] ?? '')
    return (found as readonly Recognized[]).map(({ start, end, score, entity_type: type }) => ({
      start: offset(start),
      end: offset(end),
      score,
      type,
    }))
  })
}

/** Code points to UTF-16 units; NaN beyond the end. The same where there is no character of two units. */
function createOffsets(text: string): (codePoints: number) => number {
  if (!/[\ud800-\udbff][\udc00-\udfff]/.test(text)) return at => at
  const offsets: number[] = []
  let at = 0
  for (const character of text) {
    offsets.push(at)
    at += character.length
  }
  offsets.push(at)
  return codePoints => offsets[codePoints] ?? Number.NaN
}
