// A managed server end to end: started on demand within its time limit, restarted by the rules, stopped when idle.
import { EventEmitter, once } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../../core/plugin/index.ts'
import {
  createManagedTransport,
  type ManagedDeps,
  type ManagedServer,
  type ManagedTransport,
} from '../../../../core/upstream/child/managed.ts'
import { createSupervisor, type Supervisor } from '../../../../core/upstream/child/supervisor.ts'
import type { TransportFault } from '../../../../core/upstream/transport.ts'
import { createLogBook, createManualClock, type ManualClock, realClock } from '../manual-clock.ts'
import { isRunning, oddServer } from './probe.ts'

interface Lane {
  readonly transport: ManagedTransport
  readonly closed: Promise<TransportFault>
  readonly message: Promise<string>
}

function serverOf(mode: string, timeout = { startMs: 5000, idleMs: 0 }): ManagedServer {
  return { id: 's', command: process.execPath, args: [oddServer, mode], env: {}, timeout }
}

function superviseOn(clock: Clock): Supervisor {
  return createSupervisor({ server: 's', clock, log: createLogBook().log, random: () => 0.5 })
}

async function openLane(server: ManagedServer, supervisor: Supervisor, clock: Clock, more: Partial<ManagedDeps> = {}): Promise<Lane> {
  const deps = {
    supervisor,
    clock,
    log: createLogBook().log,
    scrub: (text: string) => text,
    isBusy: () => false,
    limits: { inputMs: 10_000 },
  }
  const transport = createManagedTransport(server, { ...deps, ...more })
  const events = new EventEmitter()
  const closed = once(events, 'closed').then(([fault]) => fault as TransportFault)
  const message = once(events, 'message').then(([text]) => text as string)
  await transport.open({
    message: bytes => void events.emit('message', Buffer.from(bytes).toString()),
    failed() {},
    closed: fault => void events.emit('closed', fault),
  })
  return { transport, closed, message }
}

// Real processes end in real time: until the event is there, the clock runs as fast as the real one.
async function runUntil<T>(clock: ManualClock, event: Promise<T>): Promise<T> {
  let done = false
  void event.finally(() => (done = true))
  for (let before = performance.now(); !done; ) {
    const now = performance.now()
    clock.advance(now - before)
    before = now
    await new Promise(resolve => setImmediate(resolve))
  }
  return event
}

describe('managed server', () => {
  it('is restarted after a crash, and refused at once with the time to wait before', async () => {
    const clock = createManualClock()
    const supervisor = superviseOn(clock)
    const lane = await openLane(serverOf('exit-on-input'), supervisor, clock)
    lane.transport.negotiated()
    expect(supervisor.health).toMatchObject({ state: 'ready', pids: [expect.any(Number)] })
    lane.transport.send(Buffer.from('{}'), { kind: 'request', id: 1 })
    expect(await lane.closed).toEqual({ code: 'upstream-crashed', detail: 's: exited with code 3' })
    await expect(openLane(serverOf('echo'), supervisor, clock)).rejects.toEqual({
      code: 'upstream-unavailable',
      detail: 's: backoff after s: exited with code 3',
      retryAfterMs: 125,
    })
    clock.advance(125)
    const next = await openLane(serverOf('echo'), supervisor, clock)
    next.transport.negotiated()
    expect(supervisor.health).toMatchObject({ state: 'ready', restarts: 1, lastExit: { code: 3 } })
    await runUntil(clock, next.transport.close())
    expect(supervisor.health).toMatchObject({ state: 'stopped', pids: [] })
  })

  it('gives a server its declared environment and the allow-list, nothing else (T47)', async () => {
    const supervisor = superviseOn(realClock)
    const lane = await openLane({ ...serverOf('env'), env: { TOKEN: 'only for s' } }, supervisor, realClock)
    const names = Object.keys(JSON.parse(await lane.message))
    const allowed = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'].filter(name => process.env[name] !== undefined)
    expect(names.sort()).toEqual([...allowed, 'TOKEN'].sort())
    await lane.transport.close()
  })

  it('counts a program that cannot be started as a failure', async () => {
    const supervisor = superviseOn(realClock)
    const server = { ...serverOf('echo'), command: '/no/such/program' }
    await expect(openLane(server, supervisor, realClock)).rejects.toMatchObject({ code: 'upstream-unavailable' })
    expect(supervisor.health).toMatchObject({ state: 'backoff', lastFailure: 's: cannot start /no/such/program: ENOENT' })
  })

  it('is given up where it is not ready in time', async () => {
    const clock = createManualClock()
    const supervisor = superviseOn(clock)
    const lane = await openLane(serverOf('echo', { startMs: 3000, idleMs: 0 }), supervisor, clock)
    clock.advance(2999)
    expect(supervisor.health.state).toBe('starting')
    clock.advance(1)
    expect(await lane.closed).toEqual({ code: 'upstream-timeout', detail: 's: not ready 3000 ms after its start' })
    expect(supervisor.health.state).toBe('backoff')
    await runUntil(clock, lane.transport.close())
  })

  it('is failed where its answer to initialize will not do', async () => {
    const supervisor = superviseOn(realClock)
    const lane = await openLane(serverOf('echo'), supervisor, realClock)
    await lane.transport.reject({ code: 'upstream-garbage', detail: 's: initialize answered nonsense' })
    expect(await lane.closed).toEqual({ code: 'upstream-garbage', detail: 's: initialize answered nonsense' })
    expect(supervisor.health).toMatchObject({ state: 'backoff', lastFailure: 's: initialize answered nonsense' })
  })

  it('is stopped after the idle time without traffic, not while it is busy, and that is no failure', async () => {
    const clock = createManualClock()
    const supervisor = superviseOn(clock)
    let busy = true
    const lane = await openLane(serverOf('echo', { startMs: 1000, idleMs: 10_000 }), supervisor, clock, { isBusy: () => busy })
    lane.transport.negotiated()
    const pid = supervisor.health.pids[0]!
    clock.advance(9_000)
    lane.transport.send(Buffer.from('{"id":1}'), { kind: 'request', id: 1 })
    expect(await lane.message).toBe('{"id":1}')
    clock.advance(9_000)
    expect(supervisor.health.state).toBe('ready')
    clock.advance(50_000)
    expect(supervisor.health.state).toBe('ready')
    busy = false
    clock.advance(10_000)
    expect(await runUntil(clock, lane.closed)).toEqual({
      code: 'upstream-unavailable',
      detail: 's: stopped because it was idle',
      planned: true,
    })
    await runUntil(clock, lane.transport.close())
    expect(await isRunning(pid)).toBe(false)
    expect(supervisor.health).toMatchObject({ state: 'stopped', restarts: 0, lastExit: { code: 0 } })
    const again = await openLane(serverOf('echo'), supervisor, clock)
    await runUntil(clock, again.transport.close())
  })

  it('is started once where it crashes at once and many ask for it', async () => {
    const clock = createManualClock()
    const supervisor = superviseOn(clock)
    const lane = await openLane(serverOf('exit-at-once'), supervisor, clock)
    await runUntil(clock, lane.closed)
    clock.advance(5000)
    const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => openLane(serverOf('echo'), supervisor, clock)))
    expect(attempts.filter(one => one.status === 'fulfilled')).toHaveLength(1)
    expect(supervisor.health.pids).toHaveLength(1)
    for (const one of attempts) if (one.status === 'fulfilled') await runUntil(clock, one.value.transport.close())
  })
})
