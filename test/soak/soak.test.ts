// The soak, in its short form, and what it says of figures that are as bad as they can be.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { isBuilt } from '../e2e/cli.ts'
import { judge, type Sample, type Soaked } from './judge.ts'

const sample = (at: number, more: Partial<Sample> = {}): Sample => ({ at, heap: 40, rss: 200, fds: 30, handles: 12, ...more })
const flat = Array.from({ length: 60 }, (_, i) => sample(i * 30))
const good: Soaked = {
  samples: flat,
  idle: [sample(0), sample(0, { fds: 34 })],
  ledger: [{ what: 'calls', counts: { client: 7, log: 7 } }],
  wrong: 0,
}
const missesOf = (soaked: Soaked): string[] =>
  judge(soaked)
    .filter(({ isGood }) => !isGood)
    .map(({ what }) => what)

describe('figures of a soak', () => {
  test('that are flat and agree are good', () => expect(missesOf(good)).toEqual([]))
  test.each<[string, Partial<Soaked>]>([
    ['heap after GC, second half', { samples: flat.map(one => ({ ...one, heap: 40 + one.at / 100 })) }],
    ['RSS, most in the second and the last third', { samples: flat.map(one => ({ ...one, rss: 200 + one.at / 20 })) }],
    ['fds before and after', { idle: [sample(0), sample(0, { fds: 36 })] }],
    ['handles before and after', { idle: [sample(0), sample(0, { handles: 18 })] }],
    ['answers that were wrong or cut off', { wrong: 1 }],
    ['calls', { ledger: [{ what: 'calls', counts: { client: 7, log: 7, usage: 6 } }] }],
  ])('that show a fault miss: %s', (what, fault) => expect(missesOf({ ...good, ...fault })).toEqual([what]))
  test('of a heap that only jitters are good', () =>
    expect(missesOf({ ...good, samples: flat.map((one, i) => ({ ...one, heap: 40 + (i % 2) })) })).toEqual([]))
})

describe.skipIf(!isBuilt || process.platform !== 'linux')('npm run soak', () => {
  test('in its short form: nothing is wrong or cut off, files are closed again, and all who count agree', async () => {
    const { code, out } = await run(['--seconds', '20', '--rate', '40'])
    const found = (what: string): string | undefined => out.split('\n').find(line => line.slice(6).startsWith(what))
    // Memory has not come to rest in so short a time; what it says of that is for the long form.
    const settled = [
      'fds',
      'handles',
      'answers that',
      'calls that',
      'answered calls',
      'calls in all',
      'refusals',
      'exit code of audit verify',
    ]
    for (const what of settled) expect(found(what), out).toMatch(/^ok/)
    expect([0, 1]).toContain(code)
  }, 300_000)
})

function run(words: readonly string[]): Promise<{ code: number | null; out: string }> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const program = ['--conditions=mcpgw-source', '--import', './test/type-stripping.mjs', 'test/soak/run.ts', ...words]
  const { VITEST: _, ...env } = process.env
  const child = spawn(process.execPath, program, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (out += text))
  return new Promise(resolve => child.once('close', code => resolve({ code, out })))
}
