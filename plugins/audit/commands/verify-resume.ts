// How far a verification has come, in a file: a long one that was stopped goes on from there.
import { readFileSync, rmSync } from 'node:fs'
import type { Progress } from '../verification.ts'
import { replaceFile } from './replace-file.ts'

export interface ResumePoint {
  readonly version: 1
  /** The log. */
  readonly name: string
  readonly cursor: string
  readonly progress: Progress
  /** Of SignedSizes. */
  readonly met: readonly string[]
}

/** Undefined where there is no such file; a string says why it cannot be used. */
export function readResumePoint(path: string, name: string): ResumePoint | string | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : `${path}: ${(error as Error).message}`
  }
  const point = parse(text)
  if (point?.version !== 1 || typeof point.cursor !== 'string') return `${path}: is no progress of a verification; remove it to start anew`
  return point.name === name ? point : `${path}: is the progress of another log, ${point.name}; remove it to start anew`
}

function parse(text: string): ResumePoint | undefined {
  try {
    return JSON.parse(text) as ResumePoint
  } catch {
    return undefined
  }
}

export const writeResumePoint = (path: string, point: ResumePoint): void => replaceFile(path, JSON.stringify(point))

export const dropResumePoint = (path: string): void => rmSync(path, { force: true })
