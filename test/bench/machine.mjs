// The machine and the disk a run was made on: without them its milliseconds mean nothing.
import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { percentile } from './statistics.mjs'

const BLOCK = Buffer.alloc(4096, 1)

export function describeMachine() {
  const all = cpus()
  return {
    cores: all.length,
    cpu: all[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${process.platform} ${release()}`,
    node: process.version,
  }
}

/**
 * What waiting for the disk costs: appends 4 KiB and waits, as a log does.
 * @param {string} dir a folder on the disk in question
 * @param {number} times
 * @returns {number} p50 in ms
 */
export function measureDisk(dir, times) {
  mkdirSync(dir, { recursive: true })
  const file = openSync(join(dir, 'fdatasync.probe'), 'a')
  const taken = []
  for (let count = 0; count < times; count++) {
    const start = performance.now()
    writeSync(file, BLOCK)
    fdatasyncSync(file)
    taken.push(performance.now() - start)
  }
  closeSync(file)
  return percentile(taken, 0.5)
}
