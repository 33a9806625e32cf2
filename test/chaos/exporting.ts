// A gateway that exports and is killed again and again, as tests of each kind of receiver need it.
import { expect } from 'vitest'
import { startProduct } from '../e2e/product.ts'
import { startLoad } from './load.ts'
import { expectProven } from './whole-log.ts'

export const ROUNDS: number = process.env.MCPGW_CHAOS === 'full' ? 100 : 8
export const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)]!

/** One life: calls until it is killed. No call notices how the export does. Resolves to those that were answered. */
export async function answerUntilKilled(dir: string, config: object, prefix: string): Promise<Iterable<string>> {
  const product = await startProduct({ dir, config })
  const load = await startLoad(product.origin, { tool: 'odd__echo', prefix, perSecond: 100, atOnce: 32 })
  await load.answers(10)
  await new Promise(resolve => setTimeout(resolve, Math.random() * 2500))
  product.signal('SIGKILL')
  await load.end()
  await product.exited
  expect([...load.failed.keys()].filter(code => code !== 'cut')).toEqual([])
  return load.answered
}

/** A last life in peace, and what the log has that gateways wrote: the reader's own records came after the last of them had ended. */
export async function endInPeace(dir: string, config: object, answered: readonly string[]) {
  const last = await startProduct({ dir, config })
  await last.stop()
  const written = expectProven(dir, answered)
  const readers = new Set(written.flatMap(({ type, stream }) => (type.startsWith('log.') ? [stream] : [])))
  return written.filter(({ stream }) => !readers.has(stream))
}
