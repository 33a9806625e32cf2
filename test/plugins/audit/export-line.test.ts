// Lines of an exported log: what goes in comes out, byte by byte, also where the bytes are no text.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readLine, writeLine } from '../../../plugins/audit/export-line.ts'

const bytes = fc.uint8Array({ maxLength: 60 })
const link = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('a record is read as it was written, on one line', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        bytes,
        fc.string({ unit: 'binary' }).map(text => new Uint8Array(Buffer.from(text))),
      ),
      link,
      link,
      fc.option(fc.string(), { nil: undefined }),
      (body, prev, hash, opened) => {
        const line = writeLine({ kind: 'record', body, prev, hash, ...(opened !== undefined && { opened }) })
        expect(line.match(/\n/g)).toHaveLength(1)
        const read = readLine(line)
        expect(read).toMatchObject({ kind: 'record' })
        if (read?.kind !== 'record') return
        expect([read.body, read.prev, read.hash].map(one => Buffer.from(one).toString('hex'))).toEqual(
          [body, prev, hash].map(one => Buffer.from(one).toString('hex')),
        )
        expect(read.opened).toBe(opened)
      },
    ),
  )
})

test('a body of text is shown as text, one that is none in base64', () => {
  const record = { kind: 'record', prev: new Uint8Array(32), hash: new Uint8Array(32) } as const
  expect(writeLine({ ...record, body: Buffer.from('{"v":2}') })).toBe(
    `{"body":"{\\"v\\":2}","prev":"${'00'.repeat(32)}","hash":"${'00'.repeat(32)}"}\n`,
  )
  expect(writeLine({ ...record, body: Uint8Array.of(0xff) })).toContain('{"bodyBase64":"/w=="')
})

test('notes are read as they were written', () => {
  for (const kind of ['checkpoint', 'tombstone'] as const)
    expect(readLine(writeLine({ kind, note: 'a\n\n\u2014 b c\n' }))).toEqual({ kind, note: 'a\n\n\u2014 b c\n' })
})

test.each([
  '',
  '{}',
  'null',
  '[]',
  '{"body":"x"}',
  '{"body":1,"prev":"","hash":""}',
  '{"checkpoint":1}',
  `{"body":"x","prev":"${'00'.repeat(32)}","hash":"${'0G'.repeat(32)}"}`,
])('%j is no line', text => {
  expect(readLine(text)).toBeUndefined()
})
