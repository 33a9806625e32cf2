// What a killed gateway leaves running is ended by the next one on the same data directory, however the processes are related.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, startProduct } from '../e2e/product.ts'
import { openSession } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { isAlive, textOf, untilGone, untilReaped } from './processes.ts'

describe.skipIf(!isBuilt || process.platform !== 'linux')('after kill -9 of the gateway', () => {
  // The wrapper stays with what it started; the leaver ends with its input and leaves its own child alone in the group.
  test.each(['wrapper', 'leaver'])('the next start ends the %s and what it started', async manner => {
    const dir = createFolder()
    const config = { servers: [{ id: 'odd', ...oddServer(manner) }], plugins: ['audit'] }
    const first = await startProduct({ dir, config })
    const { pid, descendants } = textOf(await (await openSession(first.origin)).call('odd__pid')) as { pid: number; descendants: number[] }
    first.signal('SIGKILL')
    await first.exited
    if (manner === 'leaver') await untilReaped(pid)
    expect(descendants.every(isAlive)).toBe(true)

    const second = await startProduct({ dir, config })
    await untilGone([pid, ...descendants])
    await second.stop()
  })
})
