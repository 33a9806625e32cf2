// The strict scan against JSON.parse over generated and damaged texts, with fixed seeds.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Json } from '../../../../core/mcp/json.ts'
import { hold } from '../../../fuzz/law.ts'
import {
  accept,
  damaged,
  document,
  isAccepted,
  isOneMessage,
  isTakenOrRefused,
  isWrittenAsItWas,
  numberText,
  seesWhatParseSees,
} from './laws.ts'

describe('over generated JSON', () => {
  test('value and lookups see what JSON.parse sees', () => hold(seesWhatParseSees, { numRuns: 3000, seed: 1 }))

  test('what is serialised again is the same value, numbers to the byte', async () => {
    await hold(isWrittenAsItWas, { numRuns: 1500, seed: 2 })
    fc.assert(
      fc.property(numberText, text => {
        expect(Json.of([accept(text).value]).text).toBe(`[${text}]`)
      }),
      { numRuns: 1000, seed: 3 },
    )
  })

  test('with changes the members named and no others', () => {
    const edit = fc.oneof(
      fc.constant(undefined),
      document.map(text => accept(text)),
    )
    fc.assert(
      fc.property(document, fc.array(fc.tuple(fc.nat(14), edit), { maxLength: 4 }), (text, list) => {
        const json = accept(text)
        if (json.type !== 'object') return
        const before = json.keys()
        const edits = Object.fromEntries(list.map(([i, value]) => [before[i] ?? `new${i}`, value]))
        const after = accept(json.with(edits).text)
        const expected = [
          ...before.filter(key => !(key in edits && edits[key] === undefined)),
          ...Object.keys(edits).filter(key => edits[key] !== undefined && !before.includes(key)),
        ]
        expect(after.keys()).toEqual(expected)
        for (const key of expected) expect(after.get(key)?.text).toBe((Object.hasOwn(edits, key) ? edits[key] : json.get(key))?.text)
      }),
      { numRuns: 2000, seed: 4 },
    )
  })
})

describe('over damaged JSON', () => {
  test('24,000 texts are accepted exactly where JSON.parse accepts them, but for duplicates and surrogates', async () => {
    const counts = { accepted: 0, refused: 0 }
    const counted = damaged.map(text => {
      counts[isAccepted(text) ? 'accepted' : 'refused']++
      return text
    })
    await hold({ ...isTakenOrRefused, input: counted }, { numRuns: 24_000, seed: 5 })
    // Both answers occur often, or the comparison would say little.
    expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(2000)
  })
})

test('what is read as a message is what JSON.parse sees in it', () => hold(isOneMessage, { numRuns: 3000, seed: 6 }))
