// What the lock calls a server of which there are several versions: each has an entry of its own, beside that of all of them.

export function nameOf(server: string, version: string | undefined): string {
  return version === undefined ? server : `${server}@${version}`
}

export function idOf(name: string): string {
  return name.split('@', 1)[0]!
}
