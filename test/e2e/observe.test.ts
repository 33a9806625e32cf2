// `mcpgw run --observe` of the built product: nothing is refused by policies, and what would have been is on record, counted and in health.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, type Product, readHealth, runCli, startProduct } from './product.ts'
import { readRecords, type ShownRecord } from './records.ts'
import { codeOf, openSession, type Session } from './rpc.ts'
import { everything } from './servers.ts'

const POLICY = `policy "trial" edition 1
allow sums {
  who  any
  call everything/get-sum
}
deny no-echo {
  call    everything/echo
  because "not this one"
}
`

async function start(dir: string, ...more: readonly string[]): Promise<{ product: Product; session: Session }> {
  const servers = [{ id: 'everything', ...everything() }]
  const config = { servers, plugins: ['audit', 'policy', 'redact'], policies: ['a.policy'] }
  const product = await startProduct({ dir, config, args: ['--http', '127.0.0.1:0', ...more] })
  return { product, session: await openSession(product.origin) }
}

interface Decided extends ShownRecord {
  readonly decision?: { readonly outcome: string; readonly bundle?: string; readonly policy?: Readonly<Record<string, unknown>> }
}
/** One a call. */
const decisionsIn = (dir: string): readonly (Decided['decision'] & { readonly tool?: string })[] =>
  (readRecords(dir) as readonly Decided[]).flatMap(({ type, tool, decision }) =>
    decision === undefined || type === 'outcome' ? [] : [{ ...decision, ...(tool && { tool }) }],
  )
const toolsOf = async (session: Session): Promise<readonly string[]> =>
  (await session.ask('tools/list')).result.tools.map(({ name }: { name: string }) => name)

describe.skipIf(!isBuilt)('mcpgw run --observe', () => {
  test('lets through and lists everything, and has on record what would have been denied', async () => {
    const dir = createFolder({ 'a.policy': POLICY })
    const { product, session } = await start(dir, '--observe')
    expect(await toolsOf(session)).toEqual(expect.arrayContaining(['everything__echo', 'everything__get-sum', 'everything__get-env']))
    expect((await session.call('everything__echo', { message: 'hi' })).result.content[0].text).toContain('hi')
    expect(codeOf(await session.call('everything__get-sum', { a: 1, b: 2 }))).toBeUndefined()
    // The server itself has to answer to what does not fit its schema.
    expect(codeOf(await session.call('everything__get-sum', { a: 'one' }))).toBeUndefined()
    expect((await session.ask('resources/list')).result.resources.length).toBeGreaterThan(0)

    const health = (await readHealth(product.origin)).components.find(({ name }) => name === 'policy')
    expect(health).toMatchObject({ status: 'degraded', why: expect.stringContaining('observe') })
    const metrics = await (await fetch(`${product.origin}/metrics`)).text()
    expect(metrics).toContain('mcpgw_policy_rule_would_total{rule="no-echo"} 1')
    expect(metrics).toContain('mcpgw_policy_rule_would_total{rule="bad-arguments"} 1')
    await product.stop()

    const [echo, sum, misfit] = decisionsIn(dir)
    expect(echo).toMatchObject({
      tool: 'echo',
      outcome: 'allow',
      bundle: expect.stringMatching(/^sha256:/),
      policy: { outcome: 'deny', would: 'deny', rules: [{ rule: 'no-echo', at: 'a.policy:6' }] },
    })
    expect(sum).toMatchObject({ tool: 'get-sum', policy: { outcome: 'allow' } })
    expect(sum?.policy).not.toHaveProperty('would')
    expect(misfit).toMatchObject({
      outcome: 'allow',
      bundle: echo!.bundle,
      policy: { outcome: 'deny', would: 'deny', refused: 'bad-arguments' },
    })
    expect(readRecords(dir).filter(({ type }) => type === 'refusal')).toEqual([])
    expect(readRecords(dir).find(({ type }) => type === 'policy.load')?.detail).toMatchObject({ mode: 'observe' })
  }, 40_000)

  test('the same folder without it denies all of that', async () => {
    const dir = createFolder({ 'a.policy': POLICY })
    const { product, session } = await start(dir)
    expect(await toolsOf(session)).toEqual(['everything__get-sum'])
    expect(codeOf(await session.call('everything__echo', { message: 'hi' }))).toBe('unknown-tool')
    expect(codeOf(await session.call('everything__get-sum', { a: 'one' }))).toBe('invalid-arguments')
    expect((await session.ask('resources/list')).result.resources).toEqual([])
    await product.stop()
    expect(decisionsIn(dir).map(({ outcome, policy }) => [outcome, policy?.refused ?? policy?.rules])).toEqual([
      ['deny', [{ rule: 'no-echo', at: 'a.policy:6' }]],
      ['deny', 'bad-arguments'],
    ])
  }, 40_000)

  test('without the plugin that it is for, it is a mistake', () => {
    const dir = createFolder({ 'mcpgw.yaml': '{"servers":[],"plugins":["audit"]}' })
    expect(runCli(['run', '--observe', '--http', '127.0.0.1:0'], dir)).toMatchObject({ code: 2, err: expect.stringContaining('--observe') })
  })
})
