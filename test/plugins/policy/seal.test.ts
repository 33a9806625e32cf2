// What was looked at is looked at again when a call is sealed, so that of two at once the second finds the first.
import type { Exchange } from 'mcpgw/plugin'
import { expect, test } from 'vitest'
import { Json } from '../../../core/mcp/json.ts'
import { type Bundle, compileBundle, isRefused } from '../../../plugins/policy/bundle.ts'
import { createEnforcement } from '../../../plugins/policy/enforcement.ts'
import { createKeeper, type PastEvent } from '../../../plugins/policy/history.ts'
import { createLogBook, realClock } from '../../core/upstream/manual-clock.ts'

function bundleOf(rules: string): Bundle {
  const made = compileBundle([{ file: 'a.policy', text: `policy "p" edition 1\n${rules}` }], {
    lock: undefined,
    dischargers: new Set(),
    now: new Date(0),
  })
  if (isRefused(made)) throw new Error(made.findings.join('\n'))
  return made
}

test('so many calls of a session are so many, also of those that come at once', () => {
  const bundle = bundleOf('allow two { who any call a/b when { session.calls < 2 } }')
  const { onRequest, onSealed } = createEnforcement(
    { config: { files: [], dir: '', catalog: 'open', mode: 'enforce' } as never, clock: realClock, log: createLogBook().log },
    () => ({ bundle, pins: undefined, catalog: undefined, keeper: undefined }),
    { decided() {}, refused() {} },
  )
  const client = {}
  const calls = Array.from(
    { length: 5 },
    (_, i) =>
      ({
        id: `x${i}`,
        action: 'tools/call',
        resource: { kind: 'call', server: 'a', tool: 'b' },
        args: Json.of({}),
        peer: { transport: 'http' },
        client,
        sessionId: 's',
        at: 0,
      }) as unknown as Exchange,
  )
  expect(calls.map(x => (onRequest(x) as { kind: string }).kind)).toEqual(Array(5).fill('allow'))
  expect(calls.map(x => (onSealed(x) as { kind: string }).kind)).toEqual(['pass', 'pass', 'deny', 'deny', 'deny'])
  expect(onRequest(calls[0]!)).toMatchObject({ kind: 'deny' })
})

test('what is taken back takes nothing with it that was done in the same millisecond', async () => {
  const saved: PastEvent[] = []
  const keeper = createKeeper({
    clock: { ...realClock, now: () => 1000 },
    store: {
      load: () => [],
      save: async events => void saved.push(...events),
      recover: async () => {},
      prune: async () => {},
      close: async () => {},
    },
    onHealth() {},
  })
  const [event] = bundleOf('deny d { call a/send after call vault/* within 1h because "x" }').watched
  keeper.watch([event!], 3_600_000)
  const past = keeper.of({ id: 'ann', tenant: 'acme', roles: [], claims: {}, via: { method: 'test' } })
  const refused = keeper.add(past, 'call', 'vault', 'read')!
  keeper.add(past, 'call', 'vault', 'read')
  keeper.takeBack(past, refused.added)
  expect(past.lastMatch(event!, 0)).toBeGreaterThanOrEqual(1000)
  expect(saved.at(-1)!.at).not.toBe(0)
  await keeper.close()
})
