// Detectors backed by a model: asked for all texts of a message at once, within a deadline. No answer, or a wrong one, and nothing passes.
import type { Clock, DetectedSpan, TextDetector } from 'mcpgw/plugin'
import { bySpan, type Finding } from './finding.ts'
import type { Foreseen } from './search.ts'

const usualDeadline = 2000
const mostTexts = 256
const mostCharacters = 256 * 1024

/** What all of them found in these texts; a text says what went wrong. */
export async function askModels(detectors: readonly TextDetector[], texts: readonly string[], clock: Clock): Promise<Foreseen | string> {
  const foreseen = new Map<string, Finding[]>()
  const answers = await Promise.all(detectors.map(detector => askOne(detector, texts, clock)))
  for (const [d, answer] of answers.entries()) {
    if (typeof answer === 'string') return `${detectors[d]!.name}: ${answer}`
    for (const [i, findings] of answer.entries()) {
      if (findings.length > 0) foreseen.set(texts[i]!, [...(foreseen.get(texts[i]!) ?? []), ...findings].sort(bySpan))
    }
  }
  return foreseen
}

async function askOne(detector: TextDetector, texts: readonly string[], clock: Clock): Promise<readonly (readonly Finding[])[] | string> {
  const { deadline = usualDeadline } = detector
  const abort = new AbortController()
  let cancel = (): void => {}
  const late = new Promise<string>(resolve => {
    cancel = clock.after(deadline, () => {
      abort.abort()
      resolve(`no answer within ${deadline} ms`)
    })
  })
  const work = async (): Promise<readonly (readonly Finding[])[] | string> => {
    const found: (readonly Finding[])[] = []
    for (const batch of batchesOf(texts)) {
      if (abort.signal.aborted) return 'aborted'
      const answer = await detector.detect(batch, abort.signal)
      if (!Array.isArray(answer) || answer.length !== batch.length) return 'an answer that is no list of one list for each text'
      for (const [i, spans] of answer.entries()) {
        const findings = readSpans(detector, batch[i]!, spans)
        if (findings === undefined) return 'an answer with spans that lie nowhere in their text'
        found.push(findings)
      }
    }
    return found
  }
  try {
    return await Promise.race([work(), late])
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    cancel()
    abort.abort()
  }
}

function* batchesOf(texts: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = []
  let size = 0
  for (const text of texts) {
    if (batch.length > 0 && (batch.length === mostTexts || size + text.length > mostCharacters)) {
      yield batch
      batch = []
      size = 0
    }
    batch.push(text)
    size += text.length
  }
  if (batch.length > 0) yield batch
}

function readSpans({ action = 'replace', minScore = 0 }: TextDetector, text: string, spans: unknown): readonly Finding[] | undefined {
  if (!Array.isArray(spans)) return undefined
  const findings: Finding[] = []
  for (const span of spans as readonly Partial<DetectedSpan>[]) {
    const { start, end, type, score } = span ?? {}
    if (!isOffset(start) || !isOffset(end) || start >= end || end > text.length) return undefined
    if (typeof type !== 'string' || typeof score !== 'number' || !(score >= 0 && score <= 1)) return undefined
    if (score < minScore) continue
    const whole = widen(text, start, end)
    findings.push({ ...whole, id: toId(type), action, value: text.slice(whole.start, whole.end) })
  }
  return findings
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** No half of a character is left. */
function widen(text: string, start: number, end: number): { start: number; end: number } {
  const isLow = (i: number): boolean => (text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800
  return { start: isLow(start) ? start - 1 : start, end: isLow(end) ? end + 1 : end }
}

const longestId = 40

/** `US_DRIVER_LICENSE` -> `us-driver-license`. */
function toId(type: string): string {
  const id = type
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, longestId)
  return id === '' ? 'model' : id
}
