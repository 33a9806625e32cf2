// What holds the processes of a server together depends on the user and the machine; that nothing is left does not.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, readHealth, runCli, serverIn, startProduct } from '../e2e/product.ts'
import { openSession } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { descendantsOf, running, textOf, untilGone } from './processes.ts'

const config = { servers: [{ id: 'odd', ...oddServer('deserter') }], plugins: ['audit'] }
const MISSING = 'servers run without PID namespaces'

describe.skipIf(!isBuilt || process.platform !== 'linux')('the isolation of servers', () => {
  test.skipIf(process.getuid?.() !== 0)('is a namespace for an ordinary user too, where the kernel lets him make one', async () => {
    const product = await startProduct({ dir: createFolder(), config, uid: 54_321 })
    await (await openSession(product.origin)).call('odd__pid')
    const { isolation } = serverIn(await readHealth(product.origin), 'odd')
    // Refused by the kernel, it has said so.
    expect(isolation === 'namespace' || product.said().includes(MISSING)).toBe(true)
    const family = descendantsOf(product.pid)
    expect(running('odd-mcp-server.mjs', family)).toHaveLength(2)
    product.signal('SIGKILL')
    await product.exited
    await untilGone(family)
  })

  test('falls back to groups where the tools are missing, says so once, and nothing is left all the same', async () => {
    const dir = createFolder()
    const servers = [...config.servers, { id: 'other', ...oddServer() }]
    const product = await startProduct({ dir, config: { ...config, servers }, env: { PATH: dir } })
    const session = await openSession(product.origin)
    expect(textOf(await session.call('other__environment'))).toEqual({ PATH: dir })
    await session.call('odd__pid')
    expect((await readHealth(product.origin)).servers.map(({ isolation }) => isolation)).toEqual(['group', 'group'])
    const lines = product.said().split('\n')
    expect(lines.filter(line => line.includes(MISSING))).toEqual([
      expect.stringContaining('not installed: unshare, nsenter, env, cat, sh, prlimit'),
    ])
    const family = descendantsOf(product.pid)
    expect(running('mcpgw-warden', family)).toHaveLength(1)
    product.signal('SIGKILL')
    await product.exited
    await untilGone(family)
  })

  test('is shown by doctor and by servers status', async () => {
    const dir = createFolder()
    const product = await startProduct({
      dir,
      config: { servers: [{ id: 'odd', ...oddServer(), isolation: 'group' }], plugins: ['audit'] },
    })
    await product.stop()
    expect(runCli(['servers', 'status'], dir).out).toMatch(/^odd +ready +MCP \S+, pid \d+, isolation group$/m)
    expect(runCli(['doctor'], dir).out).toMatch(/^ok +server odd: odd 1\.0\.0 speaks MCP \S+, isolation group$/m)
  })
})
