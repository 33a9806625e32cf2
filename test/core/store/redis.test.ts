// Redis as a store: it answers, or it is known to be gone; nobody waits for it, and no message has its password.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Redis } from '../../../core/plugin/index.ts'
import { createStores } from '../../../core/store/index.ts'
import { hasRedis, type RedisServer, type ServerOptions, startRedis } from '../../redis/server.ts'

const PATIENCE = { timeout: 20_000, interval: 10 }

function open(url: string): Redis {
  const redis = createStores({ dataDir: '/nonexistent', redis: url }).redis()!
  onTestFinished(() => redis.close())
  return redis
}
async function server(options?: ServerOptions): Promise<RedisServer> {
  const made = await startRedis(options)
  onTestFinished(() => made.remove())
  return made
}
const count = (redis: Redis): Promise<unknown> => redis.run("return redis.call('INCRBY', KEYS[1], ARGV[1])", ['n'], [2])

test('without a URL there is none', () => {
  expect(createStores({ dataDir: '/nonexistent' }).redis()).toBeUndefined()
})

test('a server that is not there: each run rejects at once, and says which server and why', async () => {
  const redis = open('redis://someone:correct-horse@127.0.0.1:1/3')
  await redis.connect()
  expect(redis.state).toMatchObject({ isUp: false, why: expect.stringContaining('ECONNREFUSED') })
  const error = await count(redis).then(
    () => new Error('it ran'),
    (error: Error) => error,
  )
  expect(error).toMatchObject({ code: 'store-unreadable', message: expect.stringContaining('redis://someone@127.0.0.1:1/3: ') })
  expect(JSON.stringify(redis)).not.toContain('correct-horse')
  expect(error.stack).not.toContain('correct-horse')
})

describe.skipIf(!hasRedis)('with a real server', () => {
  test('a script is run whole, also where the server has never seen it or has forgotten it', async () => {
    const { url, ask } = await server()
    const redis = open(`${url}/2`)
    await redis.connect()
    expect(await count(redis)).toBe(2)
    await ask('SCRIPT', 'FLUSH')
    expect(await count(redis)).toBe(4)
    expect(await redis.run('return {1, {ARGV[1], false}, KEYS[2]}', ['a', 'b'], ['x y'])).toEqual([1, ['x y', null], 'b'])
    expect(await ask('GET', 'n')).toBeNull()
  })

  test('what the server refuses is told, and the next run works', async () => {
    const { url } = await server()
    const redis = open(url)
    await redis.connect()
    await expect(redis.run("return redis.call('LPUSH', KEYS[1], 1) and redis.call('GET', KEYS[1])", ['l'], [])).rejects.toThrow('WRONGTYPE')
    expect(redis.state.isUp).toBe(true)
    expect(await count(redis)).toBe(2)
  })

  test('killed and started again: gone at once, back by itself, and each change is told once', async () => {
    const own = await server()
    const redis = open(own.url)
    const told: boolean[] = []
    redis.watch(({ isUp }) => told.push(isUp))
    await redis.connect()
    await own.kill()
    await vi.waitFor(() => expect(redis.state.isUp).toBe(false), PATIENCE)
    await expect(count(redis)).rejects.toMatchObject({ code: 'store-unreadable' })
    await own.start()
    await vi.waitFor(() => expect(redis.state.isUp).toBe(true), PATIENCE)
    expect(await count(redis)).toBe(2)
    expect(told).toEqual([true, false, true])
    await redis.close()
    expect(told).toHaveLength(3)
  })

  test('a server that falls silent is given up, with all that waits for it; nothing waits any more until it speaks again', async () => {
    const own = await server()
    const redis = open(own.url)
    await redis.connect()
    own.freeze()
    const waiting = await Promise.allSettled([count(redis), count(redis)])
    expect(waiting.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(redis.state).toMatchObject({ isUp: false, why: 'no answer within 200 ms' })
    let isWaiting = true
    const next = count(redis).catch(() => (isWaiting = false))
    await new Promise(resolve => setImmediate(resolve))
    expect(isWaiting).toBe(false)
    await next
    own.thaw()
    await vi.waitFor(() => expect(redis.state.isUp).toBe(true), PATIENCE)
  })

  test('a server that is always too slow is gone, and not back again each time', async () => {
    const own = await server()
    const { port } = new URL(own.url)
    const slow = createServer(socket => {
      const behind = connect(Number(port), '127.0.0.1')
      socket.on('data', chunk => setTimeout(() => behind.write(chunk), 1500))
      behind.on('data', chunk => setTimeout(() => socket.write(chunk), 1500))
      for (const one of [socket, behind]) one.on('error', () => {}).on('close', () => [socket, behind].map(each => each.destroy()))
    })
    await new Promise<void>(resolve => slow.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void slow.close())
    const redis = open(`redis://127.0.0.1:${(slow.address() as AddressInfo).port}`)
    const told: boolean[] = []
    redis.watch(({ isUp }) => told.push(isUp))
    await redis.connect()
    expect(redis.state).toMatchObject({ isUp: false, why: 'no answer within 200 ms' })
    expect(told).toEqual([])
  })

  test('an answer counts that came while this process was held up by itself', async () => {
    const { url } = await server()
    const redis = open(url)
    await redis.connect()
    await count(redis)
    const answer = count(redis)
    // The command leaves, and then nobody reads for longer than an answer may take.
    await new Promise(resolve => setImmediate(resolve))
    const until = performance.now() + 500
    while (performance.now() < until);
    expect(await answer).toBe(4)
    expect(redis.state.isUp).toBe(true)
  })

  test('who may not write, or has no memory left, is of no use from the start', async () => {
    const { url, ask } = await server()
    await ask('REPLICAOF', '127.0.0.1', '1')
    const redis = open(url)
    await redis.connect()
    expect(redis.state).toMatchObject({ isUp: false, why: expect.stringMatching(/READONLY|MASTERDOWN/) })
    await ask('REPLICAOF', 'NO', 'ONE')
    await vi.waitFor(() => expect(redis.state.isUp).toBe(true), PATIENCE)
    await ask('REPLICAOF', '127.0.0.1', '1')
    await expect(count(redis)).rejects.toThrow()
    expect(redis.state.isUp).toBe(false)
    await ask('REPLICAOF', 'NO', 'ONE')
    await ask('CONFIG', 'SET', 'maxmemory', '1')
    const full = open(url)
    await full.connect()
    expect(full.state).toMatchObject({ isUp: false, why: expect.stringContaining('OOM') })
  })

  test('a password is sent, a wrong one is not let in, and neither is shown', async () => {
    const own = await server({ password: 'p@ss/w:rd' })
    const redis = open(own.url)
    await redis.connect()
    expect(await count(redis)).toBe(2)
    expect(redis.name).not.toContain('p@ss')
    const wrong = open(own.url.replace(/:[^:/]*@/, ':correct-horse@'))
    await wrong.connect()
    expect(wrong.state).toMatchObject({ isUp: false, why: expect.stringContaining('WRONGPASS') })
    expect(wrong.state.why).not.toContain('correct-horse')
  })

  test('over TLS a certificate that nobody trusts is not accepted', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'mcpgw-redis-tls-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const tls = { cert: join(dir, 'c.pem'), key: join(dir, 'k.pem') }
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', tls.key, '-out', tls.cert, ...subject],
      {
        stdio: 'ignore',
      },
    )
    const own = await server({ tls })
    const redis = open(own.url)
    await redis.connect()
    expect(redis.state).toMatchObject({ isUp: false, why: expect.stringMatching(/self.signed/) })
    const script = `
      import { createStores } from '${join(process.cwd(), 'dist/core/store/index.js')}'
      const redis = createStores({ dataDir: '/nonexistent', redis: process.argv[1] }).redis()
      await redis.connect()
      console.log(redis.state.isUp, await redis.run('return 7', [], []))
      await redis.close()`
    const env = { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: tls.cert }
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script, own.url], { env, encoding: 'utf8' })).toBe('true 7\n')
  })

  test('closing it twice, or before it is connected, leaves nothing behind', async () => {
    const { url, ask } = await server()
    const redis = open(url)
    const connecting = redis.connect()
    await redis.close()
    await connecting
    await redis.close()
    await expect(count(redis)).rejects.toThrow('closed')
    // Only whoever asks.
    await vi.waitFor(
      async () =>
        expect(
          String(await ask('CLIENT', 'LIST'))
            .trim()
            .split('\n'),
        ).toHaveLength(1),
      PATIENCE,
    )
  })
})
