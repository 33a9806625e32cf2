// `npm run fuzz`: tries the laws of all targets until it is told to end, keeps what breaks one, and says how far it came.
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { fuzz, type Outcome } from './fuzz.ts'
import { seedOfRun } from './law.ts'
import { targets } from './targets.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, only: { type: 'string', multiple: true }, seed: { type: 'string' } },
})
const names = values.only ?? Object.keys(targets)
const minutes = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes)
const seed = values.seed === undefined ? seedOfRun() : Number(values.seed)
const unknown = names.find(name => !Object.hasOwn(targets, name))
if (unknown !== undefined || !(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error(`usage: npm run fuzz -- [--minutes N] [--only ${Object.keys(targets).join('|')}] [--seed N]`)
  process.exit(2)
}

const stopped = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort())
const signals = [stopped.signal, ...(minutes < Number.POSITIVE_INFINITY ? [AbortSignal.timeout(minutes * 60_000)] : [])]
console.error(`seed ${seed}; ${names.join(', ')}; ${minutes < Number.POSITIVE_INFINITY ? `${minutes} minutes` : 'until Ctrl-C'}`)
const outcomes = await fuzz({ names, seed, until: AbortSignal.any(signals), say: line => console.error(line) })
for (const { name, inputs, found } of outcomes) console.log(`${name}: ${inputs.toLocaleString('en')} inputs, ${shown(found)}`)
process.exitCode = outcomes.some(({ found }) => found.length > 0) ? 1 : 0

function shown(found: Outcome['found']): string {
  return found.length === 0
    ? 'none breaks a law'
    : found.map(({ law, file }) => `${law} is broken by ${relative(process.cwd(), file)}`).join(', ')
}
