// The benchmark's verdicts are only worth something if a figure that was not reached, or not measured, cannot look reached.
import { expect, test } from 'vitest'

const { judgeCalls } = await import(new URL('./figures.mjs', import.meta.url).href)
const { medianRatio, percentile } = await import(new URL('./statistics.mjs', import.meta.url).href)

const sample = (p50: number, perSecond: number) => ({ p50, p99: p50 * 2, perSecond, calls: perSecond, cpuSeconds: p50 })
const stepsOf = (p50: number, perSecond: number) => {
  const rounds = [sample(p50, perSecond), sample(p50, perSecond)]
  return { at1: rounds, echo100k: rounds, read100k: rounds, at64: rounds }
}
const markOf = (figures: { label: string; target: string; mark: string }[], label: string, target: string) =>
  figures.find(figure => figure.label === label && figure.target === target)?.mark

test('a figure is marked by must and stretch', () => {
  const samples = { raw: stepsOf(1, 1000), none: stepsOf(1.3, 1100), os: stepsOf(1.9, 500) }
  const figures = judgeCalls({ topology: 'http-http', samples, rss: { none: 100, os: 200 }, disk: [0.1], failed: {} })
  expect(markOf(figures, 'http-http p50', 'none')).toBe('ok')
  expect(markOf(figures, 'http-http calls/s at 64', 'none')).toBe('stretch')
  expect(markOf(figures, 'http-http p50', 'os')).toBe('miss')
  expect(markOf(figures, 'http-http calls/s at 64', 'os')).toBe('miss')
  expect(markOf(figures, 'http-http RSS after load', 'os')).toBe('miss')
})

test('a target that could not be measured misses each of its figures', () => {
  const figures = judgeCalls({ topology: 'http-http', samples: { raw: stepsOf(1, 1000) }, rss: {}, disk: [0.1], failed: { os: 'why' } })
  expect(figures.length).toBeGreaterThan(5)
  expect(new Set(figures.map((figure: { mark: string }) => figure.mark))).toEqual(new Set(['miss']))
})

test('a slow round of the machine does not move a ratio', () => {
  expect(medianRatio([2, 20, 2.2], [1, 10, 1.1])).toBeCloseTo(2)
})

test('a percentile is one of the values', () => {
  expect(percentile([3, 1, 2], 0.5)).toBe(2)
  expect(percentile([3, 1, 2], 0.99)).toBe(3)
})
