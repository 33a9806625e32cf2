// What clients keep for the gateway: it opens for whom and what it was made, unchanged, in its time, and after a restart.
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHandles, type HandleKind, type Handles } from '../../../core/relay/handles.ts'
import { openPrivateKey } from '../../../core/store/private-key.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcpgw-handles-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

let now = 0
const warned: unknown[] = []
const make = (path = join(folder, 'key')): Handles =>
  createHandles({ loadKey: () => openPrivateKey(path), clock: { now: () => now }, log: { warn: message => void warned.push(message) } })

describe('a handle', () => {
  it('opens what was sealed, also after a restart', () => {
    const [before, after] = [make(), make()]
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (scope, content) => {
        const plain = JSON.parse(JSON.stringify(content))
        expect(after.open('round', scope, before.seal('round', scope, plain))).toEqual(plain)
      }),
    )
  })

  it('is refused with any byte changed, left out or put in', () => {
    const handles = make()
    const sealed = handles.seal('round', 'scope', { state: 'secret' })
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom(...'ABCDEFGHabcdefgh0123456789-_=+/ \n'.split('')), (at, letter) => {
        const others = [
          `${sealed.slice(0, at)}${letter}${sealed.slice(at + 1)}`,
          `${sealed.slice(0, at)}${sealed.slice(at + 1)}`,
          `${sealed.slice(0, at)}${letter}${sealed.slice(at)}`,
          `${sealed}${letter}`,
        ]
        for (const other of others) if (other !== sealed) expect(handles.open('round', 'scope', other)).toBeUndefined()
      }),
    )
    expect(handles.open('round', 'scope', sealed)).toEqual({ state: 'secret' })
  })

  it('is good for no other scope, no other kind and no other key', () => {
    const handles = make()
    const other = make(join(folder, 'other'))
    const kinds: readonly HandleKind[] = ['cursor', 'round', 'task']
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.constantFrom(...kinds), fc.constantFrom(...kinds), (a, b, one, two) => {
        const sealed = handles.seal(one, a, 1)
        if (a !== b || one !== two) expect(handles.open(two, b, sealed)).toBeUndefined()
        expect(other.open(one, a, sealed)).toBeUndefined()
      }),
    )
  })

  it('says nothing of what it holds, and is never the same twice, but for a task, which keeps its name', () => {
    const handles = make()
    const [one, two] = [handles.seal('round', 's', 'content'), handles.seal('round', 's', 'content')]
    expect(one).not.toBe(two)
    expect(handles.seal('task', 's', 'content')).toBe(handles.seal('task', 's', 'content'))
    expect(new Set(['a', 'b'].flatMap(scope => ['x', 'y'].map(content => handles.seal('task', scope, content).slice(0, 16)))).size).toBe(4)
    expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain('content')
  })

  it('is too old when its time is over', () => {
    const handles = make()
    now = 1000
    const sealed = handles.seal('round', 's', 1, 500)
    now = 1500
    expect(handles.open('round', 's', sealed)).toBe(1)
    now = 1501
    expect(handles.open('round', 's', sealed)).toBeUndefined()
  })
})

describe('the key', () => {
  it('is made once, for its owner alone', () => {
    const path = join(folder, 'deep', 'key')
    const key = openPrivateKey(path)
    expect(openPrivateKey(path)).toEqual(key)
    expect(readFileSync(path)).toHaveLength(32)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('that others may read, that is a link or no key is not used: what was sealed is good for this run', () => {
    const open = join(folder, 'open')
    openPrivateKey(open)
    chmodSync(open, 0o644)
    const link = join(folder, 'link')
    openPrivateKey(join(folder, 'real'))
    symlinkSync(join(folder, 'real'), link)
    const short = join(folder, 'short')
    writeFileSync(short, 'short', { mode: 0o600 })
    for (const path of [open, link, short]) {
      warned.length = 0
      expect(() => openPrivateKey(path)).toThrow()
      const handles = make(path)
      expect(handles.open('cursor', 's', handles.seal('cursor', 's', 7))).toBe(7)
      expect(warned).toHaveLength(1)
    }
  })
})
