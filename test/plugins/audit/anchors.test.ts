// Anchors: what a place refuses is tried again until it has the newest, and health says when a checkpoint has waited for too long.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createAnchors } from '../../../plugins/audit/anchors.ts'
import { realClock } from './gateway.ts'

test('a webhook that fails gets the newest note in the end; until then health says what is late', async () => {
  const got: string[] = []
  let status = 500
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      if (status === 200) got.push(`${request.headers.authorization} ${body}`)
      response.writeHead(status).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const lags: number[] = []
  const healths: (string | undefined)[] = []
  const silent = (): void => {}
  const metric = { inc: silent, set: (value: number) => void lags.push(value), observe: silent }
  const anchors = createAnchors([{ webhook: `http://127.0.0.1:${port}/hook?token=secret`, headers: { authorization: 'Bearer x' } }], {
    clock: { ...realClock, now: () => 10_000, after: (_ms, run) => realClock.after(1, run) },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    metrics: { counter: () => metric, gauge: () => metric, histogram: () => metric },
    maxLag: 5000,
    resolve: path => path,
    onHealth: why => void healths.push(why),
  })
  anchors.offer({ text: 'first', at: 1000 })
  await expect.poll(() => healths.at(-1)).toBe(`no checkpoint of the last 9 s is anchored in http://127.0.0.1:${port}/hook: answered 500`)
  expect(lags.at(-1)).toBe(9)
  anchors.offer({ text: 'second', at: 9000 })
  status = 200
  await expect.poll(() => got.at(-1)).toBe('Bearer x second')
  await expect.poll(() => healths.at(-1)).toBeUndefined()
  expect(lags.at(-1)).toBe(0)
  await anchors.close(100)
  server.closeAllConnections()
  server.close()
})
