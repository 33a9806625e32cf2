// A file that the gateway keeps or goes by is read as it was checked, or not at all; nothing else is waited for.
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type OwnFileForm, readOwnFile } from '../../../core/plugin/index.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'own-file-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const secret: OwnFileForm = { isSecret: true, noLink: true, maxBytes: 8 }
const plain: OwnFileForm = { isSecret: false, maxBytes: 8 }
function write(text: string, mode = 0o600): string {
  const path = join(dir, 'own')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

test.each(['', 'k', '12345678'])('%j is read whole', text => {
  expect(readOwnFile(write(text), secret)).toEqual({ kind: 'read', bytes: Buffer.from(text) })
})

test('one that is longer is not', () => {
  expect(readOwnFile(write('123456789'), secret)).toEqual({ kind: 'too-long' })
})

test.each([0o640, 0o604, 0o620, 0o602, 0o666])('what is secret is not read where others may read or change it: %o', mode => {
  expect(readOwnFile(write('x', mode), secret)).toEqual({ kind: 'open', mode: `0${mode.toString(8)}` })
})

test('of any other, others may read it and not change it', () => {
  expect(readOwnFile(write('x', 0o644), plain)).toMatchObject({ kind: 'read' })
  expect(readOwnFile(write('x', 0o646), plain)).toEqual({ kind: 'open', mode: '0646' })
})

test('a link is followed where that is wanted, and what it leads to is what is looked at', () => {
  const link = join(dir, 'link')
  symlinkSync(write('x', 0o646), link)
  expect(readOwnFile(link, plain)).toEqual({ kind: 'open', mode: '0646' })
  write('x')
  expect(readOwnFile(link, plain)).toMatchObject({ kind: 'read' })
  expect(readOwnFile(link, secret)).toEqual({ kind: 'unreadable', code: 'ELOOP' })
})

test('a folder, a pipe that nobody writes to and what is not there are neither read nor waited for', () => {
  mkdirSync(join(dir, 'folder'))
  execFileSync('mkfifo', [join(dir, 'pipe')])
  expect([readOwnFile(join(dir, 'folder'), secret), readOwnFile(join(dir, 'pipe'), plain)]).toEqual([{ kind: 'odd' }, { kind: 'odd' }])
  expect(readOwnFile(join(dir, 'none'), secret)).toEqual({ kind: 'missing' })
})

test.skipIf(process.geteuid?.() !== 0)('one that belongs to a stranger is not read, whatever its mode; one that is root’s is', () => {
  const path = write('x')
  for (const form of [secret, plain]) {
    chownSync(path, 4242, 4242)
    expect(readOwnFile(path, form)).toEqual({ kind: 'strange', why: expect.stringContaining('belongs to uid 4242, ') as string })
    chownSync(path, 0, 0)
    expect(readOwnFile(path, form)).toMatchObject({ kind: 'read' })
  }
})
