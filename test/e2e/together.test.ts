// Everything that may change while the built product serves, at the same times: the config, what is registered, what is killed, instances that die,
// a key that is revoked. Who is not meant loses nothing, who is meant is told why, and the record of it all is sound.
import { renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startInstance } from './instances.ts'
import { type Caller, startOperations } from './operations-world.ts'
import { isBuilt, readHealth, runCli } from './product.ts'
import { readRecords } from './records.ts'
import { oddServer } from './servers.ts'

const POLICY = `policy "all" edition 1 owner "people@example.com"
allow administration {
  who   role admin
  call  gateway/*
}
allow work {
  who   role agent
  call  */*
}
`

async function startShop(): Promise<string> {
  const shop = createServer((_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"open":true}'))
  await new Promise<void>(resolve => shop.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void shop.close())
  return `http://127.0.0.1:${(shop.address() as AddressInfo).port}`
}

/** Asks for a tool over and over, one call after the other, by REST and in a session in turn; how each ended. */
function keepCalling(caller: Caller, tool: string) {
  const codes: string[] = []
  let isOver = false
  const over = (async () => {
    for (let at = 0; !isOver; at++) {
      if (at % 2 === 0) {
        const { status, body } = await caller.ask('POST', `/tools/${tool}/call`, { arguments: {} })
        codes.push(status === 200 ? 'ok' : (body.error.code as string))
      } else codes.push(await caller.call(tool).then(codeOfResult, () => 'no-session'))
    }
  })()
  return {
    codes,
    /** Resolves when the last of so many more calls ended like this. */
    until: (code: string, more = 4): Promise<void> => {
      const from = codes.length
      return expect.poll(() => codes.length >= from + more && codes.at(-1) === code, { timeout: 30_000 }).toBe(true)
    },
    async end() {
      isOver = true
      await over
    },
  }
}
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
const codeOfResult = (result: any): string => (result === undefined ? 'unknown-tool' : (result._meta?.['mcpgw/refusal']?.code ?? 'ok'))

describe.skipIf(!isBuilt)('a gateway on which everything changes at once', () => {
  test('fails no call that is not meant, and its record is sound', async () => {
    const [a, b, c, shop] = await Promise.all([startInstance('a'), startInstance('b'), startInstance('c'), startShop()])
    const configOf = ([first, second]: readonly [number, number], hasOdd: boolean, tag: string): object => ({
      servers: [
        { id: 'multi', shared: true, tags: [tag], balance: 'round-robin', instances: [a.url, b.url, c.url] },
        {
          id: 'ver',
          shared: true,
          versions: [
            { version: '1.0.0', weight: first, url: a.url },
            { version: '2.0.0', weight: second, url: b.url },
          ],
        },
        { id: 'shop', url: shop, tools: [{ name: 'read', method: 'GET', path: '/read' }] },
        ...(hasOdd ? [{ id: 'odd', ...oddServer() }] : []),
      ],
      policies: ['main.policy'],
      gateway: { tools: ['*'], operators: ['platform'] },
      registration: { origins: [a.url, b.url].map(url => new URL(url).origin) },
      plugins: [{ audit: { durability: 'os' } }, 'auth', 'policy'],
    })
    const first = configOf([1, 1], true, 'one')
    const { dir, product, callers } = await startOperations({ policy: POLICY, more: first })
    const write = (config: object): void => {
      writeFileSync(join(dir, 'next.yaml'), JSON.stringify(config))
      renameSync(join(dir, 'next.yaml'), join(dir, 'mcpgw.yaml'))
    }
    const { ops, agent, admin } = callers
    const calls = {
      multi: keepCalling(agent, 'multi__who'),
      ver: keepCalling(agent, 'ver__who'),
      shop: keepCalling(agent, 'shop__read'),
      odd: keepCalling(agent, 'odd__echo'),
      reg: keepCalling(agent, 'reg__who'),
      leaving: keepCalling(admin, 'multi__who'),
    }
    const steady = [calls.multi, calls.ver, calls.shop]
    const goOn = async (): Promise<void> => void (await Promise.all(steady.map(one => one.until('ok'))))
    await Promise.all([goOn(), calls.odd.until('ok'), calls.leaving.until('ok'), calls.reg.until('unknown-tool')])
    const before = (await readHealth(product.origin)).servers.find(({ server }) => server === 'odd')!.pids

    // A server comes, while the config says other words and weights.
    write(configOf([9, 1], true, 'two'))
    expect((await ops.ask('POST', '/servers', { id: 'reg', url: b.url, tags: ['guest'] })).status).toBe(200)
    await Promise.all([goOn(), calls.reg.until('ok')])
    await expect.poll(async () => (await ops.ask('GET', '/servers?tag=two')).body.servers.length, { timeout: 15_000 }).toBe(3)

    // What is wrong changes nothing.
    write({ ...first, servers: [{ id: 'multi', urll: 'x' }] })
    expect((await ops.ask('PUT', '/servers/reg', { url: shop })).status).toBe(400)
    await product.hears('did you mean "url"?')
    await goOn()

    // At once: an instance dies, a server is killed, a key is revoked.
    const keyId = ((await ops.ask('GET', '/keys')).body.keys as { id: string; principal: string }[]).find(
      one => one.principal === 'ada',
    )!.id
    await Promise.all([
      c.kill(),
      ops.ask('POST', '/kills', { kind: 'server', name: 'reg' }),
      ops.ask('DELETE', `/keys/${keyId}`),
      goOn(),
      calls.reg.until('killed'),
      expect.poll(() => calls.leaving.codes.at(-1), { timeout: 15_000 }).not.toBe('ok'),
    ])

    // A server of the config goes, a version is killed, the one that was killed is let in again.
    write(configOf([9, 1], false, 'two'))
    await Promise.all([
      ops.ask('POST', '/kills', { kind: 'version', name: 'ver@1.0.0' }),
      ops.ask('DELETE', '/kills/server/reg'),
      calls.reg.until('ok'),
      calls.odd.until('unknown-tool'),
    ])
    await goOn()

    // All the way back.
    write(first)
    await Promise.all([
      c.restart(),
      ops.ask('DELETE', '/kills/version/ver@1.0.0'),
      ops.ask('PUT', '/servers/reg', { url: b.url, owner: 'me' }),
    ])
    await Promise.all([goOn(), calls.odd.until('ok'), calls.reg.until('ok')])
    await ops.ask('DELETE', '/servers/reg')
    await Promise.all([goOn(), calls.reg.until('unknown-tool')])
    const after = (await readHealth(product.origin)).servers.find(({ server }) => server === 'odd')!.pids
    expect(after).not.toEqual(before)
    await Promise.all(Object.values(calls).map(one => one.end()))

    const kinds = (codes: readonly string[]): string[] => [...new Set(codes)].toSorted()
    expect(kinds(calls.shop.codes)).toEqual(['ok'])
    // Those that were under way there, one of each caller at most.
    expect(calls.multi.codes.filter(code => code !== 'ok').length).toBeLessThanOrEqual(1)
    expect(calls.ver.codes.filter(code => code !== 'ok' && code !== 'killed')).toEqual([])
    expect(calls.ver.codes.filter(code => code === 'killed').length).toBeLessThanOrEqual(1)
    expect(kinds(calls.odd.codes)).toEqual(['ok', 'unknown-tool'])
    expect(kinds(calls.reg.codes)).toEqual(['killed', 'ok', 'unknown-tool'])

    expect(await product.stop()).toEqual({ code: 0, signal: null })
    expect(runCli(['audit', 'verify'], dir).code).toBe(4)
    const types = readRecords(dir).map(({ type }) => type)
    const told = [
      'config.reloaded',
      'config.refused',
      'server.register',
      'server.update',
      'server.remove',
      'kill.set',
      'kill.lifted',
      'key.revoke',
    ]
    expect(told.filter(type => !types.includes(type))).toEqual([])
    const intents = readRecords(dir).filter(({ type }) => type === 'intent').length
    expect(readRecords(dir).filter(({ type }) => type === 'outcome').length).toBe(intents)
  }, 180_000)
})
