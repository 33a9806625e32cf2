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
