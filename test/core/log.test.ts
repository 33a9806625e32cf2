// The log: structured lines, from which no control character, forged field or known secret gets out.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { cleanLine, createLog, type LogLevel, logFor } from '../../core/log.ts'

function open(options: { level?: LogLevel; scrub?(line: string): string } = {}) {
  const lines: string[] = []
  return { lines, log: createLog({ ...options, write: line => void lines.push(line) }) }
}

test('lines go to stderr, and pino is loaded only for the first of them', () => {
  const loaded = () => Object.keys(createRequire(import.meta.url).cache).some(file => file.includes('/pino/'))
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const log = createLog({ level: 'info' })
    log.debug('not shown')
    expect([loaded(), stderr.mock.calls.length]).toEqual([false, 0])
    log.info('shown')
    expect(loaded()).toBe(true)
    expect(JSON.parse(String(stderr.mock.calls[0]![0]))).toMatchObject({ msg: 'shown' })
  } finally {
    stderr.mockRestore()
  }
})

test('a line is one JSON object with time, level and message', () => {
  const { log, lines } = open()
  log.info('started', { port: 3100, big: 2n ** 70n })
  expect(JSON.parse(lines[0]!)).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    port: 3100,
    big: '1180591620717411303424',
    msg: 'started',
  })
})

test('a level lets through what is as severe, and silent nothing', () => {
  const { log, lines } = open({ level: 'warn' })
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](level)
  expect(lines.map(line => JSON.parse(line).level)).toEqual(['warn', 'error'])
  const silent = open({ level: 'silent' })
  silent.log.error('x')
  expect(silent.lines).toEqual([])
})

test('whatever is logged, the stream gets whole lines of JSON without control characters', () => {
  const unit = fc.oneof(
    fc.constantFrom(
      '\u001b[31m',
      '\n',
      '\r',
      '\u0000',
      '\u009b',
      '\u007f',
      '\u202e',
      '\u2028',
      '\u{e0041}',
      '\u200b',
      '\ufeff',
      '\ufe0f',
      '"',
      '\\',
      '{"level":"info"}',
    ),
    fc.string(),
  )
  const text = fc.array(unit, { maxLength: 5 }).map(parts => parts.join(''))
  fc.assert(
    fc.property(text, fc.dictionary(text, fc.oneof(text, fc.jsonValue())), (message, fields) => {
      const { log, lines } = open()
      log.error(message, fields)
      expect(lines).toHaveLength(1)
      expect(lines[0]).toMatch(/^[^\p{Cc}\p{Cf}\u2028\u2029\p{Default_Ignorable_Code_Point}]*\n$/u)
      expect(JSON.parse(lines[0]!).msg).toBe(message)
    }),
    { seed: 7, numRuns: 500 },
  )
})

test('a field cannot forge level, time, message or the name of the plugin', () => {
  const { log, lines } = open()
  logFor(log, 'hello').warn('real', { level: 'info', msg: 'forged', time: 'never', plugin: 'audit' })
  const line = JSON.parse(lines[0]!)
  expect(line).toMatchObject({ level: 'warn', msg: 'real', plugin: 'hello', field_msg: 'forged' })
  expect(lines[0]!.match(/"(level|msg|time|plugin)":/g)).toHaveLength(4)
})

test('a field that throws when it is shown costs itself, not the line', () => {
  const { log, lines } = open()
  const trap = {
    get boom(): string {
      throw new Error('no')
    },
  }
  log.warn('still here', trap)
  expect(JSON.parse(lines[0]!)).toMatchObject({ msg: 'still here' })
})

test('known secrets are taken out of the whole line, also those that become known later', () => {
  const { log, lines } = open()
  log.scrubWith(line => line.replaceAll('hunter2', '***'))
  log.info('the password is hunter2', { nested: { hunter2: ['hunter2'] }, error: new Error('hunter2') })
  expect(lines[0]).not.toContain('hunter2')
  expect(lines[0]).toContain('***')
})

test('cleaning keeps text, and makes an escape of what a terminal would obey', () => {
  expect(cleanLine('{"a":"ä😀\u001b]0;x\u0007"}\n')).toBe('{"a":"ä😀\\u001b]0;x\\u0007"}\n')
})
