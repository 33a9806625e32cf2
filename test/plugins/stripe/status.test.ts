// The operation `stripe_status`: what the outbox says, and what the gateway that bills knows beside.
import type { Asker, JsonObject, PluginContext } from 'mcpgw/plugin'
import { describe, expect, test } from 'vitest'
import type { StripeConfig } from '../../../plugins/stripe/config.ts'
import { stripeOperations } from '../../../plugins/stripe/operations.ts'
import { work } from '../../../plugins/stripe/reading.ts'
import type { Live } from '../../../plugins/stripe/report.ts'
import { createWorld, DAY, HOUR, run, START, type World } from './billing-world.ts'

const NOTHING: Live = { bills: false, trouble: { faults: new Map() } }

/** The work that would be done apart is done here. */
async function ask(w: World, live: Live, scrub = (text: string) => text): Promise<JsonObject> {
  const { stores, clock, config } = w
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const apart: PluginContext<StripeConfig>['apart'] = async ({ input, answer, signal }) => {
    expect(JSON.stringify(structuredClone(input))).not.toContain(config.apiKey)
    return structuredClone(await work({ input: structuredClone(input), stores, clock, log, signal, ask: answer }))
  }
  const { list, close } = stripeOperations({ config, apart, scrub }, { live: () => live })
  const [status] = list
  expect(status).toMatchObject({ name: 'stripe_status', route: 'GET /stripe', effect: 'reads', scope: 'gateway' })
  const asker: Asker = { tenant: undefined, actor: { id: 'ops' }, signal: new AbortController().signal }
  const answer = await status!.perform({} as never, asker)
  await close()
  if (answer.kind !== 'done') throw new Error(JSON.stringify(answer))
  const checked = await status!.output['~standard'].validate(answer.value)
  expect(checked.issues).toBeUndefined()
  return answer.value
}

describe('stripe_status', () => {
  test('without an outbox says that nothing has been billed, and makes none', async () => {
    const w = await createWorld()
    expect(await ask(w, NOTHING)).toMatchObject({ outbox: null, backlogLines: 0, lastSuccess: null, lines: {}, ledger: null, bills: false })
    await expect(w.lines()).rejects.toMatchObject({ code: 'store-missing' })
  })

  test('tells what waits and for how long, what is held, when something was billed last, and what went wrong last', async () => {
    const w = await createWorld()
    w.usage.add({ at: START, calls: 4 })
    const worker = w.start()
    await run(w, worker, 2 * HOUR)
    const billed = await ask(w, NOTHING)
    expect(billed).toMatchObject({ backlogLines: 0, lastFailure: null, conditions: [], ledger: { agrees: true, differences: [] } })
    const lastSuccess = billed.lastSuccess as string
    expect(Date.parse(lastSuccess)).toBeGreaterThan(START + HOUR)

    w.usage.add({ at: START + 2 * HOUR, calls: 3 })
    w.usage.add({ at: START + 2 * HOUR, calls: 6, tenant: 'initech' })
    w.stripe.fault = () => '500'
    w.clock.pass(8 * HOUR)
    await worker.pass()
    expect(await ask(w, NOTHING)).toMatchObject({
      lastSuccess,
      backlogLines: 1,
      backlogSeconds: 25_200,
      lines: { held: { lines: 1, due: 6 } },
      ledger: { agrees: false, differences: ['acme tool_calls: 7 used, 4 billed', 'initech tool_calls: 6 used, 0 billed'] },
    })
    const live: Live = {
      bills: true,
      failure: { at: START + DAY, why: 'Stripe says sk_live_1 is bad' },
      trouble: { stripe: 'Stripe says sk_live_1 is bad', faults: new Map([['tool_calls', 'no such customer']]) },
    }
    const shown = await ask(w, live, text => text.replaceAll('sk_live_1', '[secret]'))
    expect(shown).toMatchObject({
      bills: true,
      lastFailure: { at: '2026-11-29T12:00:00.000Z', why: 'Stripe says [secret] is bad' },
      conditions: [
        'usage waits to be billed for 7 h: Stripe says [secret] is bad',
        '1 lines have no customer or no meter in the config',
        'Stripe found events of tool_calls invalid after it took them: no such customer',
      ],
    })
  })

  test('names the last failure of a line also where another process bills', async () => {
    const w = await createWorld({ config: { customers: { acme: 'cus_unknown' } } })
    w.usage.add({ at: START, calls: 4 })
    await run(w, w.start(), 2 * HOUR)
    const { lastFailure, lines } = await ask(w, NOTHING)
    expect(lines).toMatchObject({ refused: { lines: 1 } })
    expect(lastFailure).toMatchObject({ why: expect.stringContaining('No such customer') as string })
    expect(Date.parse((lastFailure as { at: string }).at)).toBeGreaterThan(START + HOUR)
    // What a line of long ago met is nothing of now.
    w.clock.pass(60 * DAY)
    expect((await ask(w, NOTHING)).lastFailure).toBeNull()
  })
})
