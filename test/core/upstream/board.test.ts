// What the board tells health: a server that does not work is a degraded component with its reason, until it works again.
import { expect, test } from 'vitest'
import type { ServerConfig } from '../../../core/config/schema.ts'
import { createHealth } from '../../../core/health.ts'
import { createServerBoard } from '../../../core/upstream/board.ts'
import { createLogBook, createManualClock } from './manual-clock.ts'

const timeout = { startMs: 1000, callMs: 1000, idleMs: 0 }
const child: ServerConfig = {
  id: 'here',
  name: 'here',
  enabled: true,
  shared: false,
  protocol: 'legacy',
  timeout,
  kind: 'child',
  command: 'x',
  args: [],
  env: {},
}
const remote: ServerConfig = {
  id: 'there',
  name: 'there',
  enabled: true,
  shared: false,
  protocol: 'legacy',
  timeout,
  kind: 'remote',
  url: 'http://x',
  headers: {},
}

test('a child that fails is degraded, stays so while it is tried again, and is ok when it is ready', () => {
  const clock = createManualClock()
  const health = createHealth({ clock })
  const board = createServerBoard({ servers: [child], clock, log: createLogBook().log, health })
  const look = () => health.view().components.find(one => one.name === 'server/here')
  const begin = () => {
    const start = board.supervisor('here').admitStart()
    if (start.kind === 'refused') throw new Error(start.why)
    return start
  }
  expect(look()).toMatchObject({ status: 'ok' })
  begin().ended({ failed: true, detail: 'here: exited with code 3' })
  expect([health.status, look()]).toMatchObject(['degraded', { why: 'here: exited with code 3' }])
  clock.advance(60_000)
  const again = begin()
  expect(look()).toMatchObject({ status: 'degraded' })
  again.ready()
  expect([health.status, look()]).toMatchObject(['ok', { status: 'ok' }])
  again.ended({ failed: false, detail: 'here: stopped because it was idle' })
  expect(health.status).toBe('ok')
})

test('a remote server whose last connection is lost is degraded until one is opened', () => {
  const clock = createManualClock()
  const health = createHealth({ clock })
  const board = createServerBoard({ servers: [remote], clock, log: createLogBook().log, health })
  board.opened('there', '2026-07-28')
  expect(board.list()).toMatchObject([{ server: 'there', state: 'ready', protocol: '2026-07-28' }])
  board.closed('there', { code: 'upstream-crashed', detail: 'session lost' })
  expect(health.view().components).toMatchObject([{ name: 'server/there', status: 'degraded', why: 'session lost' }])
  board.opened('there', '2026-07-28')
  expect(health.status).toBe('ok')
})
