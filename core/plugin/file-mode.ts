// Who may change a file that the gateway goes by.

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

/** True where somebody else than its owner may read or change it: what is secret, or proves who one is. Always false on Windows. */
export function mayOthersRead({ mode }: Pick<FileOwnership, 'mode'>): boolean {
  return process.platform !== 'win32' && (mode & 0o077) !== 0
}

/** As `chmod` takes it: `0644`. */
export function modeText({ mode }: Pick<FileOwnership, 'mode'>): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}
