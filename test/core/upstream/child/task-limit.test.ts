// What bounds a fork bomb in the kernel is chosen so that it never changes anything outside of the namespace.
import { expect, it } from 'vitest'
import { chooseTaskLimit, isOwnPidMax, readPidMax, tasksFor } from '../../../../core/upstream/child/task-limit.ts'

it('is used only from the kernels on that count in the namespace', () => {
  const versions = ['5.10.0-28-amd64', '5.14.0', '6.1.0', '6.13.9', '6.14.0-rc1', '6.18.44', '7.0.1', 'unknown']
  expect(versions.map(version => chooseTaskLimit(true, version))).toEqual([...Array(4).fill('none'), ...Array(3).fill('pid-max'), 'none'])
  expect(versions.map(version => chooseTaskLimit(false, version))).toEqual(['none', ...Array(6).fill('rlimit'), 'none'])
})

it('leaves room for the threads of so many processes', () => {
  expect([tasksFor(1), tasksFor(128)]).toEqual([301, 1600])
})

it.skipIf(process.platform !== 'linux')('takes an unchanged number of the machine for a sign that the namespace has its own', () => {
  expect(isOwnPidMax(readPidMax())).toBe(true)
  expect(isOwnPidMax(0)).toBe(false)
})
