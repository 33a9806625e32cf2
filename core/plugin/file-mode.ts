// Who may change a file that the gateway goes by, and to whom it belongs.
import { statSync } from 'node:fs'

/** Of `fs.Stats`. */
export interface FileOwnership {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/**
 * True where somebody else than its owner may write it: everybody, or a group. A group with the number of the owner is taken for the owner's
 * private one, as most distributions make it, under whose umask (002) every new file may be written by it. Always false on Windows.
 */
export function mayOthersWrite({ mode, uid, gid }: FileOwnership): boolean {
  if (process.platform === 'win32') return false
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== uid)
}

/**
 * True where somebody else than its owner and the one that runs this may read or change it: what is secret, or proves who one is. Of a file of root's
 * the private group of the one that runs this may read it, as a container has it that mounts secrets. Always false on Windows.
 */
export function mayOthersRead({ mode, uid, gid }: FileOwnership): boolean {
  if (process.platform === 'win32') return false
  const own = process.geteuid?.()
  const isMounted = uid === 0 && own !== 0 && gid === own
  return (mode & (isMounted ? 0o037 : 0o077)) !== 0
}

/**
 * Whose it is, in words, where that is neither root nor the one that runs this: whatever its mode, they may change it, or put another one there.
 * Whoever owns the program itself is trusted, as it does what they say. Undefined where nobody else's, and on Windows.
 */
export function strangerOf({ uid }: Pick<FileOwnership, 'uid'>): string | undefined {
  const own = process.geteuid?.()
  if (own === undefined || uid === 0 || uid === own || uid === statSync(import.meta.filename).uid) return undefined
  return `belongs to uid ${uid}, which is neither root nor the one that runs this (uid ${own})`
}

/** As `chmod` takes it: `0644`. */
export function modeText({ mode }: Pick<FileOwnership, 'mode'>): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}
