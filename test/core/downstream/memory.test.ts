// Clients that send slowly, or do not read: what they hold of our memory is bounded, and the others are served.
import { connect, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { connectHttp, connectStdio } from '../data-plane/clients.ts'
import { startTestGateway, until } from '../data-plane/gateway.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()
const head = 'POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: */*\r\n'

function dial(port: number): { socket: Socket; got: () => string } {
  let got = ''
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.on('data', chunk => (got += chunk))
  opened({ close: async () => void socket.destroy() })
  return { socket, got: () => got }
}

it('unfinished bodies share one budget: more are refused, short ones never, and it is given back', async () => {
  const gateway = opened(await startTestGateway({ servers: [], limits: { messageBytes: 1_000_000 } }))
  const slow = Array.from({ length: 30 }, () => dial(gateway.port))
  for (const { socket } of slow) socket.write(`${head}content-length: 999999\r\n\r\n${' '.repeat(999_000)}`)
  await until(() => slow.filter(({ got }) => got().startsWith('HTTP/1.1 429')).length >= 13)
  const client = await connectHttp(gateway)
  expect((await client.ask('ping')).result).toEqual({})
  for (const { socket } of slow) socket.destroy()
  const long = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"pad":"${'x'.repeat(900_000)}"}}`
  let status = 429
  while (status === 429) status = (await client.post(long)).status
  expect(status).toBe(200)
})

it('a body in chunks of one byte costs little more than its bytes', async () => {
  const gateway = opened(await startTestGateway({ servers: [], limits: { messageBytes: 2_000_000 } }))
  const { socket, got } = dial(gateway.port)
  const before = process.memoryUsage().rss
  socket.write(`${head}transfer-encoding: chunked\r\n\r\n`)
  const part = '1\r\n \r\n'.repeat(100_000)
  for (let i = 0; i < 19; i++) await new Promise(resolve => socket.write(part, resolve))
  expect(process.memoryUsage().rss - before).toBeLessThan(200e6)
  socket.write('0\r\n\r\n')
  await until(() => got().startsWith('HTTP/1.1 400'))
})

it('a client on stdio that does not read is told nothing more but answers, and hears again once it reads', async () => {
  const upstream = opened(await startStdioUpstream({ capabilities: '{"tools":{},"logging":{}}' }))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], stdio: true }))
  const client = await connectStdio(gateway)
  await client.ask('tools/list')
  gateway.output.pause()
  const said = (data: string): string => `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"${data}"}}`
  for (let i = 0; i < 100; i++) upstream.tell(said('x'.repeat(1_000_000)))
  upstream.tell('{"jsonrpc":"2.0","id":1,"method":"ping"}')
  await until(() => upstream.of('').length > 0)
  expect(gateway.output.writableLength).toBeLessThan(70_000_000)
  gateway.output.resume()
  await until(() => gateway.output.writableLength === 0)
  upstream.tell(said('after'))
  await client.find(message => message.params?.data === 'after')
})
