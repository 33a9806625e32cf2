// The conformance suite finds what is wrong with a plugin, and nothing where all is well.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { checkPlugin } from '../../../core/testing/index.ts'
import { type Capability, definePlugin, type Hooks, masking, pass, rewrite } from './subjects.ts'

function subject(more: { capabilities?: Capability[]; hooks?: Hooks; config?: z.ZodType } = {}) {
  return definePlugin({
    name: 'subject',
    apiVersion: 1,
    config: (more.config ?? z.strictObject({})) as never,
    capabilities: more.capabilities ?? [],
    setup: () => more.hooks ?? {},
  })
}
const failed = async (...given: Parameters<typeof checkPlugin>) =>
  (await checkPlugin(...given)).filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)

test('a plugin that keeps its promises passes every check', async () => {
  const checks = await checkPlugin(masking)
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
  expect(checks.map(({ name }) => name)).toContain('refuses an unknown key')
})

test.each<[string, Parameters<typeof subject>[0], string]>([
  ['a schema that lets unknown keys pass', { config: z.object({}) }, 'refuses an unknown key: it accepts "no-such-key"'],
  ['a schema that takes anything', { config: z.any() }, 'refuses a config that is no map: it accepts the text "nonsense"'],
  ['a schema that refuses the config', { config: z.strictObject({ key: z.string() }) }, 'accepts its config: it refuses {}'],
  [
    'an undeclared capability',
    { hooks: { onRequest: ({ params }) => rewrite(params.value) } },
    'answers every hook with a verdict that it may give: onRequest undeclared: a rewrite without "rewrites-request"',
  ],
  [
    'a capability that nothing uses',
    { capabilities: ['narrows-list'], hooks: { onRequest: () => pass } },
    'has a hook for each capability: nothing in it uses narrows-list',
  ],
  [
    'a hook that throws on odd arguments',
    {
      hooks: {
        onRequest: ({ args }) => {
          if (Object.hasOwn(args.value as object, '__proto__')) throw new Error('odd')
          return pass
        },
      },
    },
    'answers every hook with a verdict that it may give: onRequest threw: Error: odd',
  ],
  [
    'a hook that answers nothing',
    { hooks: { onResponse: () => undefined as never } },
    'answers every hook with a verdict that it may give: onResponse garbage',
  ],
  [
    'an unknown hook',
    { hooks: { onRequests: () => pass } as never },
    'sets up: plugin-setup: setup of subject failed: there is no hook "onRequests"',
  ],
])('%s is found', async (_what, more, finding) => {
  expect((await failed(subject(more))).join('\n')).toContain(finding)
})

test('what is no plugin fails the first check, and no other is tried', async () => {
  expect(await checkPlugin({ ...subject(), apiVersion: 2 } as never)).toEqual([
    { name: 'is a plugin of API version 1', ok: false, detail: 'apiVersion is 2, this gateway has version 1' },
  ])
})

test('a code that says nothing is found', async () => {
  const explaining = (codes: Record<string, { text: string; help: string }>) => failed({ ...subject(), explains: () => codes })
  expect(await explaining({ 'too-late': { text: 'it is late', help: 'Come tomorrow.' } })).toEqual([])
  expect(await explaining({ 'too-late': { text: 'it is late', help: '' } })).toEqual(['explains its codes: too-late has no help'])
  expect(await explaining({ Late: { text: 'it is late', help: 'x' } })).toEqual([
    'explains its codes: "Late" is not lower-case letters, digits and dashes',
  ])
})

test('a release that fails is found', async () => {
  const leaking = {
    ...subject(),
    setup: (ctx: { onStop(release: () => void): void }) => {
      ctx.onStop(() => {
        throw new Error('still open')
      })
      return {}
    },
  }
  expect((await failed(leaking as never)).join()).toContain('lets go of what it holds: Error: still open')
})
