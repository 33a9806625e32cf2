// Calls of the differential are the same after they were kept as text.
import { expect, test } from 'vitest'
import { drawCall, drawFrom } from './generate.ts'
import { callOf, textOf } from './law.ts'

test('facts that were written as text are what they were', () => {
  const draw = drawFrom(11)
  for (let i = 0; i < 500; i++) {
    const call = drawCall(draw)
    const { facts, deeds } = callOf(textOf(call))
    expect({ ...facts, history: undefined }).toEqual({ ...call.facts, history: undefined })
    expect(facts.history === undefined).toBe(call.facts.history === undefined)
    expect(deeds).toEqual(call.deeds)
  }
})
