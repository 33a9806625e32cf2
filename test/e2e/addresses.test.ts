// Where a client comes from, through the built product: filter, limits and record mean the same address, and no header talks them out of it.
import { expect, test } from 'vitest'
import { createFolder, isBuilt, startProduct } from './product.ts'
import { readRecords } from './records.ts'
import { codeOf, initialize, openSession, post } from './rpc.ts'
import { oddServer } from './servers.ts'

async function start(listen: object, ipfilter: object) {
  const dir = createFolder()
  const config = { listen, servers: [{ id: 'odd', ...oddServer() }], plugins: ['audit', { ipfilter }] }
  const product = await startProduct({ dir, config })
  const from = async (...forwarded: string[]) => {
    const { status, messages } = await post(product.origin, initialize(), {
      headers: forwarded.flatMap(one => ['x-forwarded-for', one]),
    })
    return [status, codeOf(messages[0])]
  }
  return { dir, product, from }
}

const REFUSED = [403, 'forbidden-address']

test.skipIf(!isBuilt)('behind a trusted proxy the client counts, forged and unreadable values do not', async () => {
  const { dir, product, from } = await start(
    { trustedProxies: ['127.0.0.1', '10.9.0.0/16'] },
    { allow: ['203.0.113.0/24'], deny: ['203.0.113.66'] },
  )
  expect(await from('203.0.113.5')).toEqual([200, undefined])
  expect(await from('203.0.113.5, 10.9.0.1')).toEqual([200, undefined])
  expect(await from('198.51.100.1')).toEqual(REFUSED)
  expect(await from('203.0.113.5, 198.51.100.1')).toEqual(REFUSED)
  expect(await from('203.0.113.5', '198.51.100.1')).toEqual(REFUSED)
  expect(await from('203.0.113.66')).toEqual(REFUSED)
  expect(await from('203.0.113.5, nobody')).toEqual(REFUSED)
  expect(await from('0xcb007105')).toEqual(REFUSED)
  expect(await from()).toEqual(REFUSED)
  const forwarded = ['x-forwarded-for', '203.0.113.5, 10.9.0.1']
  const session = await openSession(product.origin, forwarded)
  await session.call('odd__echo', {})
  await product.stop()
  const [intent] = readRecords(dir).filter(record => record.type === 'intent')
  expect(intent).toMatchObject({ source: { ip: '203.0.113.5', viaProxy: ['127.0.0.1', '10.9.0.1'] } })
  const refused = readRecords(dir).filter(record => record.type.startsWith('refusal'))
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.every(record => record.decision?.code === 'forbidden-address' || record.type === 'refusal.repeated')).toBe(true)
  expect(JSON.stringify(refused)).not.toContain('nobody')
})

test.skipIf(!isBuilt)('where nobody is trusted, the header is a header', async () => {
  const { product, from } = await start({}, { allow: ['203.0.113.0/24'] })
  expect(await from('203.0.113.5')).toEqual(REFUSED)
  await product.stop()
  const open = await start({}, { allow: ['127.0.0.0/8'] })
  expect(await open.from('198.51.100.1')).toEqual([200, undefined])
  await open.product.stop()
})

test.skipIf(!isBuilt)('a range that cannot be read stops the start, with its place', async () => {
  const dir = createFolder()
  const config = { listen: { trustedProxies: ['10.0.0.1/8'] }, plugins: [{ ipfilter: { deny: ['010.0.0.1'] } }] }
  await expect(startProduct({ dir, config })).rejects.toThrow('10.0.0.1/8 has bits behind its prefix: expected 10.0.0.0/8')
})
