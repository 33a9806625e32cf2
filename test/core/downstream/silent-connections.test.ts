// A stop does not wait for connections on which nothing was ever said: HTTP clients open such in advance.
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { startTestGateway } from '../data-plane/gateway.ts'

// Less than the time that a client has for its first header, after which such a connection would end by itself.
const TIMEOUT_MS = 8000

it('a connection that never said anything holds up no stop', { timeout: TIMEOUT_MS }, async () => {
  const gateway = await startTestGateway({ servers: [] })
  const socket = connect(gateway.port, '127.0.0.1').on('error', () => {})
  await once(socket, 'connect')
  const closed = once(socket, 'close')
  // Answered on another connection, so that the gateway has taken both.
  expect((await fetch(`http://127.0.0.1:${gateway.port}/mcp`, { method: 'PUT' })).status).toBe(405)
  await gateway.gateway.stop(60_000)
  socket.resume()
  await closed
  await gateway.stop()
})
