// The process that works apart: it takes one order, does it, and ends with the gateway that gave it.
import { systemClock } from '../clock.ts'
import type { ApartIo, ApartWork, Log } from '../plugin/index.ts'
import { createStores } from '../store/index.ts'
import type { Order, Report } from './protocol.ts'

const stopping = new AbortController()
const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
let asked = 0
let code = 1

const tell = (report: Report): void => {
  // Where the gateway has gone, the channel says so, too.
  if (process.connected) process.send?.(report, undefined, {}, () => {})
}

// From a terminal both get it; the gateway says what is to be done.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => stopping.abort())
process.on('disconnect', () => process.exit(code))
process.on('message', (order: Order) => {
  if (order.kind === 'work') return void obey(order)
  const one = waiting.get(order.id)
  waiting.delete(order.id)
  if (order.kind === 'answer') one?.resolve(order.value)
  else one?.reject(new Error(order.message))
})

async function obey({ module, input, place, now }: Order & { kind: 'work' }): Promise<void> {
  const ahead = now - systemClock.now()
  const log = Object.fromEntries(
    (['debug', 'info', 'warn', 'error'] as const).map(level => [
      level,
      (message: string, fields: Record<string, unknown> = {}) => tell({ kind: 'log', level, message, fields }),
    ]),
  ) as unknown as Log
  const io: ApartIo = {
    input,
    stores: createStores({ ...place, log }),
    clock: { ...systemClock, now: () => systemClock.now() + ahead },
    log,
    signal: stopping.signal,
    ask: question =>
      new Promise((resolve, reject) => {
        asked += 1
        waiting.set(asked, { resolve, reject })
        tell({ kind: 'ask', id: asked, question })
      }),
  }
  try {
    const { work } = (await import(module)) as { work: ApartWork }
    tell({ kind: 'done', result: await work(io) })
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
  // The gateway lets go once it has heard it.
  code = 0
}
