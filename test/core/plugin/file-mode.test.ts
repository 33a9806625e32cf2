// Who may change a file: everybody and foreign groups count, the owner's private group does not; and whose it may be.
import { statSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { mayOthersRead, mayOthersWrite, strangerOf } from '../../../core/plugin/index.ts'

it.each([
  ['its owner alone', 0o100644, 1000, 1000, false],
  ['its private group', 0o100664, 1000, 1000, false],
  ['another group', 0o100664, 1000, 100, true],
  ['the group of root, of a file of root', 0o100664, 0, 0, false],
  ['everybody', 0o100646, 1000, 1000, true],
  ['everybody but its group', 0o100606, 1000, 100, true],
  ['nobody', 0o100444, 1000, 100, false],
])('%s', (_who, mode, uid, gid, expected) => {
  expect(mayOthersWrite({ mode, uid, gid })).toBe(process.platform === 'win32' ? false : expected)
})

it('run by root, what its group may read others may read', () => {
  vi.spyOn(process, 'geteuid').mockReturnValue(0)
  expect(mayOthersRead({ mode: 0o440, uid: 0, gid: 0 })).toBe(process.platform !== 'win32')
  vi.restoreAllMocks()
})

describe.skipIf(process.platform === 'win32')('run by uid 1000', () => {
  const runAs = (uid: number): void => void vi.spyOn(process, 'geteuid').mockReturnValue(uid)
  afterEach(() => vi.restoreAllMocks())
  const program = statSync('core/plugin/file-mode.ts').uid

  it.each([0, 1000, program])('what belongs to root, to itself or to whoever owns the program is no stranger’s: %d', uid => {
    runAs(1000)
    expect(strangerOf({ uid })).toBeUndefined()
  })

  it.each([1001, 4242, 65_534, 4_294_967_294])('what belongs to somebody else is, and it is said whose: %d', uid => {
    runAs(1000)
    expect(strangerOf({ uid })).toBe(`belongs to uid ${uid}, which is neither root nor the one that runs this (uid 1000)`)
  })

  it('what belongs to uid 1000 is a stranger’s where root runs it, and root’s own is not', () => {
    runAs(0)
    expect([strangerOf({ uid: 4242 }) === undefined, strangerOf({ uid: 0 })]).toEqual([false, undefined])
  })

  it.each([
    ['of its own, for itself', 0o600, 1000, 1000, false],
    ['of its own, for its group', 0o640, 1000, 1000, true],
    ['of root, mounted for its private group', 0o440, 0, 1000, false],
    ['of root, which that group may change', 0o460, 0, 1000, true],
    ['of root, for another group', 0o440, 0, 999, true],
    ['of root, for everybody', 0o444, 0, 1000, true],
  ])('a secret %s: others may read or change it', (_whose, mode, uid, gid, expected) => {
    runAs(1000)
    expect(mayOthersRead({ mode, uid, gid })).toBe(expected)
  })
})
