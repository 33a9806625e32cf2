// `mcpgw demo`: the product in three seconds. A real gateway in front of the bundled servers, five calls, their record, and one record that somebody changes.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { demoServers } from '../demo/servers.ts'
import { forge, readCalls, type Verified, verify } from './demo/evidence.ts'
import { painter, renderProof, renderTaken, type Taken } from './demo/render.ts'
import { type Step, steps } from './demo/steps.ts'
import { loadFor } from './load-for.ts'
import type { VerbIo } from './verb.ts'
import { type Session, withLoaded } from './with-gateway.ts'

const TOUR = fileURLToPath(new URL('../demo/tour.yaml', import.meta.url))
/** As the config of the tour names it. */
const AGENT = 'demo-agent'
const FORGERY = { from: '"tool":"delete_note"', to: '"tool":"append_note"' }
const NEXT = ['init', 'run', 'import']

/** 1 where the gateway does not do what the demo says of it. */
export async function demo(given: VerbIo): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'mcpgw-demo-'))
  try {
    const io: VerbIo = { ...given, json: false, options: { config: TOUR, dataDir: dir } }
    const loaded = await loadFor(io)
    if (loaded === 2) return 2
    const answers: string[] = []
    const started = await withLoaded(io, { ...loaded, config: { ...loaded.config, servers: demoServers() } }, async ({ client }) => {
      for (const step of steps) answers.push(await call(client, step, io.signal))
      return 0
    })
    if (started !== 0) return started
    const recorded = await readCalls(io, AGENT)
    const taken = steps.map((step, at) => ({ step, answer: answers[at]!, recorded: recorded[at]! }))
    const before = await verify(io)
    const after = await verify(io, await forge(dir, FORGERY))
    show(given, loaded.config.policies, taken, before, after)
    const failed = recorded.length !== steps.length || taken.some(isUnlike)
    if (failed) given.err('error[demo]: the gateway did not do what was expected of it\n')
    return failed || before.broken !== null || after.broken === null ? 1 : 0
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function isUnlike({ step, recorded }: Taken): boolean {
  return recorded?.tool !== step.tool || recorded.status !== step.status || recorded.rules[0]?.rule !== step.rule
}

async function call(client: Session['client'], { server, tool, args }: Step, signal: AbortSignal): Promise<string> {
  const { kind, payload } = await client.request('tools/call', { name: `${server}__${tool}`, arguments: args }, { signal })
  if (kind === 'error') return payload.text
  const { content } = payload.value as { readonly content: readonly { readonly text?: string }[] }
  return content.flatMap(({ text }) => (text === undefined ? [] : [text])).join('\n')
}

function show(io: VerbIo, policies: readonly string[], taken: readonly Taken[], before: Verified, after: Verified): void {
  if (io.json) {
    const calls = taken.map(({ step: { what, server, tool, args }, answer, recorded: { tool: _tool, ...recorded } }) => ({
      what,
      server,
      tool,
      args,
      answer,
      ...recorded,
    }))
    io.out(
      `${JSON.stringify({ policies, calls, record: { before, forged: FORGERY, after }, next: NEXT.map(word => `mcpgw ${word}`) }, null, 2)}\n`,
    )
    return
  }
  const paint = painter(io.color.out)
  io.out('An agent, a gateway, and two servers: what becomes of five calls.\n')
  io.out(`The rules are in ${policies.join(', ')}\n\n`)
  for (const [at, one] of taken.entries()) io.out(renderTaken(one, at + 1, paint))
  io.out(`${renderProof(before, FORGERY, after, paint)}\nNext: mcpgw ${NEXT.join(' | ')}\n`)
}
