// The stdio transport against real processes: what goes in and out, and every way in which a server can misbehave (T15, T50, T52).
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { findAnsweredId } from '../../../../core/upstream/child/foreign-line.ts'
import { createStdioTransport } from '../../../../core/upstream/child/stdio.ts'
import { stdioLimits } from '../../../../core/upstream/child/stdio-limits.ts'
import { createLogBook, realClock } from '../manual-clock.ts'
import { openProbe, type Probe } from './probe.ts'

const probes: Probe[] = []
async function start(...args: Parameters<typeof openProbe>): Promise<Probe> {
  const probe = await openProbe(...args)
  probes.push(probe)
  return probe
}
afterEach(async () => {
  await Promise.all(probes.splice(0).map(probe => probe.transport.close()))
})

describe('stdio transport', () => {
  it('carries messages both ways, in order', async () => {
    const probe = await start(['echo'])
    for (let id = 1; id <= 100; id++) probe.request(id, `{"id":${id}}`)
    for (let id = 1; id <= 100; id++) expect(await probe.next()).toEqual({ kind: 'message', text: `{"id":${id}}` })
  })

  it('carries a message of several megabytes unchanged', async () => {
    const probe = await start(['echo'])
    const text = JSON.stringify({ text: 'ü'.repeat(2_000_000) })
    probe.request(1, text)
    expect(await probe.next()).toEqual({ kind: 'message', text })
  })

  it('sends a message with line ends between its tokens as one line, so that no line of its own hides in it', async () => {
    const probe = await start(['echo'])
    probe.request(1, '{"a":\r\n{"jsonrpc":"2.0","id":9,"method":"tools/call"}\n}')
    expect(await probe.next()).toEqual({ kind: 'message', text: '{"a":  {"jsonrpc":"2.0","id":9,"method":"tools/call"} }' })
  })

  it('refuses to open where the program does not exist, and names it', async () => {
    const { log } = createLogBook()
    const options = { server: 's', command: '/no/such/program', args: [], env: {}, clock: realClock, log, scrub: (text: string) => text }
    const silent = { message() {}, failed() {}, closed() {} }
    await expect(createStdioTransport(options).open(silent)).rejects.toEqual({
      code: 'upstream-unavailable',
      detail: 's: cannot start /no/such/program: ENOENT',
    })
    await expect(createStdioTransport({ ...options, command: process.execPath, cwd: '/no/such/folder' }).open(silent)).rejects.toEqual({
      code: 'upstream-unavailable',
      detail: `s: cannot start ${process.execPath}: ENOENT; the folder /no/such/folder does not exist`,
    })
  })

  it('gives arguments to the program as they are, without a shell (T50)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcpgw-args-'))
    const args = [`; touch ${folder}/x`, `$(touch ${folder}/y)`, `\`touch ${folder}/z\``, '--upload-pack=touch x', '*', '"\'', '%PATH%']
    const probe = await start(['args', ...args])
    const event = await probe.next()
    expect(event.kind === 'message' && JSON.parse(event.text)).toEqual(args)
    expect(['x', 'y', 'z'].filter(name => existsSync(join(folder, name)))).toEqual([])
  })

  it('tells of the loss right after the exit, with the exit code', async () => {
    const probe = await start(['exit-on-input'])
    probe.request(1, '{}')
    expect(await probe.next()).toEqual({ kind: 'exit', code: 3, signal: null })
    expect(await probe.next()).toEqual({ kind: 'closed', fault: { code: 'upstream-crashed', detail: 'odd: exited with code 3' } })
  })

  it('delivers what a server wrote just before it exited', async () => {
    const probe = await start(['answer-and-exit'])
    probe.request(1, '{}')
    const events = [await probe.next(), await probe.next(), await probe.next()]
    expect(events).toContainEqual({ kind: 'message', text: '{"last":"words"}' })
    expect(events.at(-1)).toEqual({ kind: 'closed', fault: { code: 'upstream-crashed', detail: 'odd: exited with code 0' } })
  })

  it('tells of the loss where a killed server leaves a pipe open in a grandchild', async () => {
    const probe = await start(['grandchild', 'and-leave'])
    await probe.next()
    expect(await probe.next()).toMatchObject({ kind: 'exit', code: 0 })
    expect(await probe.next()).toMatchObject({ kind: 'closed', fault: { code: 'upstream-crashed' } })
  })

  it('takes a closed standard output for a crash, and ends the process', async () => {
    const probe = await start(['close-stdout'])
    probe.request(1, '{}')
    expect(await probe.next()).toEqual({ kind: 'closed', fault: { code: 'upstream-crashed', detail: 'odd: closed its standard output' } })
    expect(await probe.next()).toEqual({ kind: 'exit', code: null, signal: 'SIGTERM' })
  })

  it('drops and counts a few lines that are no messages', async () => {
    const probe = await start(['garbage', '5'])
    probe.request(1, '{"id":1}')
    expect(await probe.next()).toEqual({ kind: 'message', text: '{"id":1}' })
    expect(probe.transport.counts.garbage).toBe(5)
    expect(probe.log.filter(line => line.level === 'warn')).toHaveLength(1)
    expect(probe.transport.stderrTail()).toContain('stdout: Listening on 4...')
  })

  it('ends the connection to a server that writes nothing but garbage', async () => {
    const probe = await start(['garbage', '100000'])
    expect(await probe.next()).toMatchObject({ kind: 'closed', fault: { code: 'upstream-garbage' } })
    expect(probe.transport.counts.garbage).toBe(stdioLimits.garbageLines)
  })

  it('keeps a flood of standard error in bounded memory and few log lines, and goes on answering', async () => {
    const probe = await start(['stderr-flood', `${256 * 1024 * 1024}`], { stderrBytes: 4096, stderrLinesPerSecond: 5 })
    expect(await probe.next()).toEqual({ kind: 'message', text: '{"flooded":true}' })
    probe.request(1, '{"id":1}')
    expect(await probe.next()).toEqual({ kind: 'message', text: '{"id":1}' })
    expect(probe.transport.stderrTail().join('\n').length).toBeLessThan(4 * 4096)
    expect(probe.transport.stderrTail().at(-2)).toBe('flood \\u001b[31mred\\u001b[0m')
  })

  it('ends the connection to a server whose line does not end, with bounded memory (T15)', async () => {
    const probe = await start(['endless-line', `${64 * 1024 * 1024}`], { lineBytes: 1024 * 1024 })
    const event = await probe.next()
    expect(event).toMatchObject({ kind: 'closed', fault: { code: 'upstream-garbage' } })
    // Far less than the line was read when it was given up.
    const read = event.kind === 'closed' ? Number(/\d+/.exec(event.fault.detail)?.[0]) : 0
    expect(read).toBeLessThan(9 * 1024 * 1024)
  })

  it('fails only the one call whose answer is over the limit', async () => {
    const probe = await start(['long-answer', '200000'], { lineBytes: 100_000 })
    expect(await probe.next()).toMatchObject({ kind: 'failed', id: 7, fault: { code: 'upstream-garbage' } })
    probe.request(8, '{"id":8}')
    expect(await probe.next()).toEqual({ kind: 'message', text: '{"id":8}' })
  })

  it('fails requests to a server that never reads, once its queue is full, and never blocks', async () => {
    const probe = await start(['never-reads'], { queueBytes: 4 * 1024 * 1024 })
    await probe.next()
    expect(probe.transport.backedUp).toBe(false)
    const message = JSON.stringify({ pad: 'x'.repeat(1024 * 1024) })
    for (let id = 1; id <= 8; id++) probe.request(id, message)
    expect(probe.transport.backedUp).toBe(true)
    const failed = await probe.next()
    expect(failed).toMatchObject({ kind: 'failed', fault: { code: 'upstream-unavailable' } })
    await probe.transport.close()
    expect(probe.events.filter(event => event.kind === 'failed').length).toBeGreaterThanOrEqual(3)
    expect(probe.events.at(-1)).toEqual({ kind: 'exit', code: null, signal: 'SIGTERM' })
  })

  it('tells of its own closing once, and sends nothing after it', async () => {
    const probe = await start(['echo'], { inputMs: 10_000 })
    const closing = [probe.transport.close(), probe.transport.close()]
    probe.request(1, '{}')
    await Promise.all(closing)
    expect(probe.events.filter(event => event.kind !== 'exit')).toEqual([
      { kind: 'closed', fault: { code: 'upstream-unavailable', detail: 'odd: closed by the gateway' } },
    ])
    expect(probe.events).toContainEqual({ kind: 'exit', code: 0, signal: null })
  })
})

describe('answer of which only the edges are known', () => {
  const find = (line: string): number | undefined => findAnsweredId(Buffer.from(line.slice(0, 256)), Buffer.from(line.slice(-256)))
  const long = 'x'.repeat(1000)

  it('is known by an id next to an outermost brace, in the order of any common library', () => {
    expect(find(`{"jsonrpc":"2.0","id":7,"result":"${long}"}`)).toBe(7)
    expect(find(`{ "id" : 7, "result":"${long}"}`)).toBe(7)
    expect(find(`{"result":"${long}","jsonrpc":"2.0","id":7}`)).toBe(7)
    expect(find(`{"result":"${long}","id":7,"jsonrpc":"2.0"}`)).toBe(7)
  })

  it('is not known by an id that stands elsewhere, or in a text', () => {
    expect(find(`{"result":{"a":"${long}","id":7}}`)).toBeUndefined()
    expect(find(`{"result":{"id":7,"a":"${long}"}}`)).toBeUndefined()
    expect(find(JSON.stringify({ result: `${long},"id":7}` }))).toBeUndefined()
    expect(find(`[{"id":7,"a":"${long}"}]`)).toBeUndefined()
  })
})
