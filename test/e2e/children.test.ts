// What a server process gets from the gateway: exactly its environment (T47), no shell (T50), and no process of its own for each session.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { descendantsOf, running, textOf } from '../chaos/processes.ts'
import { createFolder, isBuilt, readHealth, startProduct } from './product.ts'
import { openSession } from './rpc.ts'
import { oddServer } from './servers.ts'

describe.skipIf(!isBuilt)('a server process', () => {
  test('sees the allow-list and what is declared for it, and nothing else of the gateway', async () => {
    const env = { HOME: '/home/someone', LANG: 'C.UTF-8', TZ: 'UTC', TMPDIR: '/tmp', NODE_ENV: 'x', AWS_SECRET_ACCESS_KEY: 'y', OTHER: 'z' }
    const declared = { API_TOKEN: '${env:OTHER}', PLAIN: 'value', LANG: 'de_DE.UTF-8' }
    const config = {
      servers: [
        { id: 'declared', ...oddServer(), env: declared },
        { id: 'bare', ...oddServer() },
      ],
      plugins: ['audit'],
    }
    const product = await startProduct({ dir: createFolder(), config, env })
    const session = await openSession(product.origin)
    const inherited = { PATH: process.env.PATH, HOME: env.HOME, LANG: env.LANG, TZ: env.TZ, TMPDIR: env.TMPDIR }
    expect(textOf(await session.call('bare__environment'))).toEqual(inherited)
    // `OTHER` comes in where it is declared, under its declared name.
    const own = { ...inherited, API_TOKEN: 'z', PLAIN: 'value', LANG: 'de_DE.UTF-8' }
    expect(textOf(await session.call('declared__environment'))).toEqual(own)
  })

  test('gets its arguments as they are written: no shell looks at them', async () => {
    const dir = createFolder()
    const trap = join(dir, 'touched')
    const args = [`; touch ${trap}`, `$(touch ${trap})`, `\`touch ${trap}\``, `| touch ${trap}`, '--upload-pack=touch', '*', '$HOME', 'a b']
    const { command, args: script } = oddServer()
    const servers = [
      { id: 'odd', command, args: [...script, ...args] },
      { id: 'shell', command: `touch ${trap}; ${command}`, args: [] },
    ]
    const product = await startProduct({ dir, config: { servers, plugins: ['audit'] } })
    const session = await openSession(product.origin)
    expect(textOf(await session.call('odd__arguments'))).toEqual(['well', ...args])
    const shell = (await readHealth(product.origin)).servers.find(server => server.server === 'shell')
    expect(shell?.lastFailure).toContain('ENOENT')
    expect(existsSync(trap)).toBe(false)
  })

  test('is shared by all clients that declare nothing: 200 sessions start no further process', async () => {
    const servers = ['one', 'two', 'three'].map(id => ({ id, ...oddServer() }))
    const product = await startProduct({ dir: createFolder(), config: { servers, plugins: ['audit', 'redact'] } })
    const first = await openSession(product.origin)
    for (const id of ['one', 'two', 'three']) await first.call(`${id}__echo`, {})
    const before = running('odd-mcp-server', descendantsOf(product.pid))
    expect(before).toHaveLength(3)
    const sessions = await Promise.all(Array.from({ length: 200 }, () => openSession(product.origin)))
    expect(new Set(sessions.map(session => session.id)).size).toBe(200)
    const answers = await Promise.all(sessions.map((session, n) => session.call(`${['one', 'two', 'three'][n % 3]}__echo`, { n })))
    expect(answers.map(textOf)).toEqual(sessions.map((_, n) => ({ n })))
    expect(running('odd-mcp-server', descendantsOf(product.pid))).toEqual(before)
  })
})
