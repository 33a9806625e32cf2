// The module worker: does the work that the server of the test hands out, and sends back what came of it.
import * as library from 'mcpgw/policy'
import { type Done, type Work, work } from './policy-work.ts'

/** What the worker posts; `error` with its stack where the work failed. */
export interface Answer {
  /** Of the global object: that of a worker, not of a page. */
  readonly scope: string
  readonly hasNode: boolean
  readonly done?: Done
  readonly error?: string
}

const about = {
  scope: globalThis.constructor.name,
  hasNode: 'process' in globalThis || 'Buffer' in globalThis,
}

async function answer(): Promise<Answer> {
  try {
    return { ...about, done: work(library, (await (await fetch('/work')).json()) as Work) }
  } catch (error) {
    return { ...about, error: String((error as Error).stack ?? error) }
  }
}

await fetch('/answer', { method: 'POST', body: JSON.stringify(await answer()) })
