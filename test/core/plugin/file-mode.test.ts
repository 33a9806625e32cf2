// Who may change a file: everybody and foreign groups count, the owner's private group does not.
import { expect, it } from 'vitest'
import { mayOthersWrite } from '../../../core/plugin/index.ts'

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
