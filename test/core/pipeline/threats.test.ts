// Threats T58, T59 and T60: a bad plugin, a plugin that acts in the wrong phase, and a failure at any point never let a call through.
import { expect, test } from 'vitest'
import { allow, type Exchange, type Hooks, identify, type Principal, pass, rewrite } from '../../../core/plugin/index.ts'
import { harness } from '../../../core/testing/index.ts'
import { plug } from '../define.ts'
import { alice, allower, code, PASSING, request, through } from './stage.ts'

type Tamper = (x: Exchange) => void
// biome-ignore lint/suspicious/noExplicitAny: a plugin written in JavaScript
const cast = (value: unknown): any => value

const tampering: [string, Tamper][] = [
  [
    'sets the principal',
    x => {
      cast(x).principal = alice
    },
  ],
  [
    'sets the params',
    x => {
      cast(x).params = x.sent
    },
  ],
  [
    'sets the state',
    x => {
      cast(x).state = 'sealed'
    },
  ],
  ['defines a property over a getter', x => void Object.defineProperty(x, 'decision', { value: { outcome: 'allow' } })],
  ['swaps the prototype', x => void Object.setPrototypeOf(x, { open: true })],
  [
    'changes the class',
    x => {
      cast(Object.getPrototypeOf(x)).note = () => {}
    },
  ],
  [
    'changes the resource',
    x => {
      cast(x.resource).tool = 'write'
    },
  ],
  [
    'changes the arguments',
    x => {
      cast(x.args.value).path = '/etc/shadow'
    },
  ],
  [
    'changes the params by their tree',
    x => {
      cast(x.params.value).name = 'write'
    },
  ],
  [
    'changes a role of the principal',
    x => {
      cast(x.principal!.roles).push('admin')
    },
  ],
  [
    'changes a claim of the principal',
    x => {
      cast(x.principal!.claims).groups.push('admin')
    },
  ],
  [
    'takes a note away',
    x => {
      cast(x.notes).delete('stats.seen')
    },
  ],
  [
    'changes a note',
    x => {
      cast(x.notes.get('stats.seen')).push(2)
    },
  ],
  ['notes without its name', x => x.note('seen', 1)],
]

test.each(tampering)('T58: a plugin that %s gets an error, and its call is refused', async (_what, tamper) => {
  const claimed: Principal = { ...alice, claims: { groups: ['dev'] } }
  const auth = request('auth', ['authenticates'], () => identify(claimed))
  const stats = request('stats', [], x => {
    x.note('stats.seen', [1])
    return pass
  })
  const culprit = request('culprit', [], x => {
    tamper(x)
    return pass
  })
  const { called, sent, world } = await through(auth, stats, culprit, allower())
  expect([code(called), sent]).toEqual(['plugin-failed', []])
  expect(world.log.filter(({ level }) => level === 'error')).toMatchObject([
    { fields: { plugin: 'culprit', why: 'threw', detail: expect.stringContaining('TypeError') } },
  ])
  expect(called.exchange.params.value).toEqual(PASSING)
})

test('T58: a plugin goes on with what it noted, and the note stays what it was', async () => {
  const seen = [1]
  const stats = request('stats', [], x => {
    x.note('stats.seen', seen)
    seen.push(2)
    return pass
  })
  const { called } = await through(stats, allower())
  expect(called.exchange.notes.get('stats.seen')).toEqual([1])
})

test('T58: a plugin that breaks one call breaks no other, and the gateway lives', async () => {
  const culprit = request('culprit', [], x => {
    if (x.args.text.includes('boom')) throw new Error('boom')
    return pass
  })
  const world = await harness({ plugins: [culprit, allower()] })
  const codes = []
  for (const text of ['a', 'boom', 'b']) codes.push(code(await world.call('s', 't', { text })))
  expect(codes).toEqual([undefined, 'plugin-failed', undefined])
})

test.each([
  ['the tool', 'tools/call', { kind: 'call', server: 's', tool: 't' }, { name: 't' }, { name: 'other' }],
  ['the prompt', 'prompts/get', { kind: 'prompt', server: 's', prompt: 'p' }, { name: 'p' }, { name: 'q' }],
  ['the uri', 'resources/read', { kind: 'read', server: 's', uri: 'a:b' }, { uri: 'a:b' }, { uri: 'a:c' }],
  [
    'the completion ref',
    'completion/complete',
    { kind: 'method', server: 's', method: 'completion/complete' },
    { ref: { type: 'ref/prompt', name: 'p' } },
    { ref: { type: 'ref/prompt', name: 'q' } },
  ],
] as const)(
  'T59: a rewriter that changes %s after it was routed is refused, whatever it may rewrite',
  async (_what, method, resource, before, after) => {
    const world = await harness({
      plugins: [request('rewriter', ['rewrites-request', 'masks'], () => rewrite({ ...before, ...after })), allower()],
    })
    expect(code(await world.send(method, resource, before))).toBe('plugin-failed')
    expect(world.upstream.received).toEqual([])
  },
)

test('T59: nothing that a plugin does after the decision changes who asked for what', async () => {
  const held: { x?: Exchange } = {}
  const thief = plug('thief', ['masks'], {
    onRequest: x => {
      held.x = x
      return pass
    },
    onSealed: x => {
      for (const key of ['params', 'sent', 'principal', 'resource', 'decision']) expect(Reflect.set(x, key, 'stolen')).toBe(false)
      return pass
    },
  })
  const { sent, called } = await through(allower(), thief)
  expect(sent).toEqual([PASSING])
  expect(called.exchange.decision).toMatchObject({ outcome: 'allow', by: ['policy/main:1'] })
})

test('T60: of the n plugin calls that precede a tool call, whichever throws, the call is not made', async () => {
  let left = Number.POSITIVE_INFINITY
  const tick = () => {
    left -= 1
    if (left === 0) throw new Error('n-th failure')
    return pass
  }
  const all: Hooks = { onRequest: tick, onSealed: tick, discharge: tick }
  const policy = plug('policy', ['decides'], {
    ...all,
    onRequest: () => {
      tick()
      return allow([], [{ name: 'log', args: [] }])
    },
  })
  const plugins = [
    plug('audit', ['records'], all),
    plug('limits', [], all),
    policy,
    plug('redact', ['masks'], all, { discharges: ['log'] }),
  ]
  const world = await harness({ plugins })
  left = 1_000
  await world.call('s', 't')
  // The answer stage discharges once more, after the call.
  const before = 1_000 - left - 1
  expect(before).toBe(9)
  for (let n = 1; n <= before; n++) {
    left = n
    expect([n, code(await world.call('s', 't'))]).toEqual([n, 'plugin-failed'])
  }
  expect(world.upstream.received).toHaveLength(1)
})
