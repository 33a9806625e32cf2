// The conformance suite for plugins: what every plugin promises, checked without a test runner, so that any runner can assert on it.
import { checkCapabilities, checkPluginShape } from '../loader/check.ts'
import type { AnyPlugin } from '../loader.ts'
import type { Capability, Hooks, Stores } from '../plugin/index.ts'
import { createFakeUpstream, upstreamError } from './fake-upstream.ts'
import { type Given, type Harness, harness } from './harness.ts'

export interface CheckOptions {
  /** A config that the plugin accepts; default `{}`. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Plugins that stand before it, e.g. because they provide what it requires. */
  readonly before?: readonly (AnyPlugin | Given)[]
  readonly stores?: Stores
}

export interface Check {
  /** The promise. */
  readonly name: string
  readonly ok: boolean
  /** Why not. */
  readonly detail?: string
}

/** Each promise with whether the plugin keeps it. A plugin is fit where every `ok` is true. */
export async function checkPlugin(plugin: AnyPlugin, options: CheckOptions = {}): Promise<readonly Check[]> {
  const config = options.config ?? {}
  const shape = checkPluginShape(plugin)
  const first = check('is a plugin of API version 1', shape)
  if (shape !== undefined) return [first]
  const capabilities = checkCapabilities(plugin, await accept(plugin, config))
  return [
    first,
    check('accepts its config', (await refuses(plugin, config)) ? `it refuses ${JSON.stringify(config)}` : undefined),
    check('refuses an unknown key', (await refuses(plugin, { ...config, 'no-such-key': 1 })) ? undefined : 'it accepts "no-such-key"'),
    check('refuses a config that is no map', (await refuses(plugin, 'nonsense')) ? undefined : 'it accepts the text "nonsense"'),
    check('explains its codes', await findUnexplained(plugin)),
    check('declares known capabilities', typeof capabilities === 'string' ? capabilities : undefined),
    ...(await checkRuns(plugin, config, typeof capabilities === 'string' ? new Set() : capabilities, options)),
  ]
}

async function checkRuns(
  plugin: AnyPlugin,
  config: unknown,
  capabilities: ReadonlySet<Capability>,
  options: CheckOptions,
): Promise<readonly Check[]> {
  let hooks: Hooks = {}
  // The same plugin, but its hooks can be looked at.
  const watched: AnyPlugin = {
    ...plugin,
    async setup(context) {
      hooks = await plugin.setup(context)
      return hooks
    },
  }
  const upstream = createFakeUpstream()
  const plugins = [...(options.before ?? []), { plugin: watched, config }]
  let world: Harness
  try {
    world = await harness({ plugins, upstream, ...(options.stores && { stores: options.stores }) })
  } catch (error) {
    return [check('sets up', error instanceof Error ? error.message : String(error))]
  }
  const without = [...capabilities].filter(capability => !USED_BY[capability].some(hook => hooks[hook] !== undefined))
  const faults = await exercise(world, plugin.name)
  const { pending, failed } = await world.stop()
  return [
    check('sets up'),
    check('has a hook for each capability', without.length === 0 ? undefined : `nothing in it uses ${without.join(', ')}`),
    check('answers every hook with a verdict that it may give', faults.length === 0 ? undefined : faults.join('; ')),
    check('leaves no hook pending', pending.length === 0 ? undefined : pending.map(({ hook }) => hook).join(', ')),
    check('lets go of what it holds', failed.length === 0 ? undefined : failed.map(({ why }) => why).join('; ')),
  ]
}

/** Where a capability can show. */
const USED_BY: Readonly<Record<Capability, readonly (keyof Hooks)[]>> = {
  authenticates: ['onRequest'],
  decides: ['onRequest'],
  answers: ['onRequest'],
  'rewrites-request': ['onRequest'],
  records: ['onSealed', 'onSettled', 'onResponse'],
  masks: ['onRequest', 'onResponse', 'onNotification', 'discharge'],
  'rewrites-response': ['onResponse', 'onNotification', 'discharge'],
  'narrows-list': ['onList'],
}

/** Requests, answers, errors and notifications of every kind; the faults of this plugin's hooks come back. */
async function exercise(world: Harness, name: string): Promise<readonly string[]> {
  world.upstream.on('s/fails', () => {
    throw upstreamError(-32602, 'no')
  })
  world.upstream.on('s/talks', async (_request, reply) => {
    await reply.notify('notifications/progress', { progressToken: 1, progress: 0.5 })
    return { content: [] }
  })
  world.upstream.on('ask', () => ({ role: 'assistant', content: { type: 'text', text: 'yes' } }))
  await world.call('s', 'plain')
  await world.call('s', 'odd', { ['__proto__']: 'x', empty: null, list: [[], {}, 1e21, ''], text: '\u0000 \u{1f600} 4111 1111 1111 1111' })
  await world.call('s', 'fails', {})
  await world.call('s', 'talks', {})
  await world.send('resources/read', { kind: 'read', server: 's', uri: 'file:///a' }, { uri: 'file:///a' })
  await world.send('prompts/get', { kind: 'prompt', server: 's', prompt: 'p' }, { name: 'p' })
  await world.send('ping', { kind: 'plumbing' })
  await world.send(
    'sampling/createMessage',
    { kind: 'method', server: 'ask', method: 'sampling/createMessage' },
    { messages: [] },
    { direction: 'to-client' },
  )
  world.kernel.pipeline.refused({ code: 'parse-error', reason: 'no', by: ['default'], transport: 'stdio', action: '\n'.repeat(300) })
  const list = await world.send('tools/list', { kind: 'list', of: 'tools' })
  await world.kernel.pipeline.narrow(list.exchange, [{ server: 's', name: 'plain', definition: list.exchange.params }])
  return world.log
    .filter(({ message, fields }) => message === 'a plugin failed' && fields.plugin === name)
    .map(({ fields }) => `${String(fields.hook)} ${String(fields.why)}: ${String(fields.detail).split('\n', 1)[0]}`)
}

/** What is wrong with the first code that says nothing. */
async function findUnexplained(plugin: AnyPlugin): Promise<string | undefined> {
  for (const [code, { text, help }] of Object.entries((await plugin.explains?.()) ?? {})) {
    if (!/^[a-z][a-z0-9-]*$/.test(code)) return `${JSON.stringify(code)} is not lower-case letters, digits and dashes`
    if (!text || !help) return `${code} has no ${text ? 'help' : 'text'}`
  }
  return undefined
}

async function accept(plugin: AnyPlugin, config: unknown): Promise<unknown> {
  const result = await plugin.config['~standard'].validate(config)
  return 'value' in result ? result.value : undefined
}

async function refuses(plugin: AnyPlugin, config: unknown): Promise<boolean> {
  return (await plugin.config['~standard'].validate(config)).issues !== undefined
}

function check(name: string, detail?: string): Check {
  return detail === undefined ? { name, ok: true } : { name, ok: false, detail }
}
