// What hello promises, tested with nothing but Node's own runner and mcpgw/testing.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { checkPlugin, createTemporaryStores, harness, runCommand } from 'mcpgw/testing'
import hello from './index.js'

/** @type {import('mcpgw/testing').TemporaryStores} */
let stores
beforeEach(() => {
  stores = createTemporaryStores()
})
afterEach(() => stores.remove())

test('keeps every promise that a plugin makes, with and without a greeting', async () => {
  for (const config of [{}, { greeting: 'Hello', forbidden: ['secret'] }]) {
    const checks = await checkPlugin(hello, { config, stores })
    assert.deepEqual(
      checks.filter(check => !check.ok),
      [],
    )
  }
})

test('greets the caller after what the tool says, and leaves errors alone', async () => {
  const world = await harness({ plugins: [{ plugin: hello, config: { greeting: 'Hello' } }], stores })
  const principal = { id: 'ada', roles: [], tenant: 'default', claims: {}, via: { method: 'test' } }
  const { value } = await world.call('notes', 'search', { query: 'x' }, { principal })
  assert.deepEqual(JSON.parse(JSON.stringify(value)).content, [
    { type: 'text', text: '{"query":"x"}' },
    { type: 'text', text: 'Hello, ada!' },
  ])
  await world.stop()
})

test('refuses a forbidden word wherever it stands in the arguments, and does not call the server', async () => {
  const world = await harness({ plugins: [{ plugin: hello, config: { forbidden: ['Secret'] } }], stores })
  for (const args of [{ a: 'my SECRET plan' }, { list: [{ deep: 'secret' }] }, { secret: 1 }]) {
    const { refusal } = await world.call('notes', 'add', args)
    assert.equal(refusal?.code, 'denied')
    assert.doesNotMatch(refusal.reason, /secret/i)
  }
  assert.equal(world.upstream.received.length, 0)
  await world.stop()
})

test('counts calls by tool, and the command shows them while the gateway runs', async () => {
  const world = await harness({ plugins: [hello], stores })
  await world.call('notes', 'add')
  await world.call('notes', 'search')
  await world.call('notes', 'search')
  const said = await runCommand(hello, ['hello', 'count'], { stores, json: true })
  assert.equal(said.code, 0)
  assert.deepEqual(JSON.parse(said.out), {
    tools: [
      { tool: 'notes__search', count: 2 },
      { tool: 'notes__add', count: 1 },
    ],
  })
  assert.match(world.kernel.metrics.render(), /mcpgw_hello_calls_total\{outcome="answered"\} 3/)
  await world.stop()
})

test('a mistake in its config stops the start and names the key', async () => {
  await assert.rejects(harness({ plugins: [{ plugin: hello, config: { forbiden: [] } }], stores }), /unknown key "forbiden"/)
})
