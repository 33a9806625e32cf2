// The pepper: 32 random bytes in a file of their own, so that the key store alone neither proves nor reveals a key.
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { mayOthersRead, modeText, readOwnFile, type Stores, strangerOf } from 'mcpgw/plugin'
import { KeyStoreFault } from './key-store-fault.ts'

const pepperBytes = 32

/** Reads the pepper, makes it where there is none. Throws, saying how to mend it, where others could read or change it. */
export function openPepper(stores: Stores, path: string): KeyObject {
  return readPepper(path) ?? createPepper(stores, path)
}

/** Throws where a file exists that others may read or change, or own. */
export function requirePrivate(path: string): void {
  const about = statSync(path, { throwIfNoEntry: false })
  if (about === undefined) return
  const stranger = strangerOf(about)
  if (stranger !== undefined) throw strange(path, stranger)
  if (mayOthersRead(about)) throw open(path, modeText(about))
}

const open = (path: string, mode: string): KeyStoreFault =>
  new KeyStoreFault(`auth: ${path} has mode ${mode}: others may read or change it. Run: chmod 600 ${path}`)

const strange = (path: string, why: string): KeyStoreFault => new KeyStoreFault(`auth: ${path} ${why}. Run: chown root ${path}`)

function readPepper(path: string): KeyObject | undefined {
  const found = readOwnFile(path, { isSecret: true, noLink: true, maxBytes: pepperBytes })
  switch (found.kind) {
    case 'missing':
      return undefined
    case 'unreadable':
      throw new KeyStoreFault(
        `auth: the pepper ${path} cannot be read (${found.code}). It must be a file of the gateway's own user, no link.`,
      )
    case 'open':
      throw open(path, found.mode)
    case 'strange':
      throw strange(path, found.why)
    case 'read':
      if (found.bytes.length === pepperBytes) return createSecretKey(found.bytes)
  }
  throw new KeyStoreFault(`auth: ${path} is no pepper (${pepperBytes} bytes). Restore it from a backup; without it no stored key works.`)
}

function createPepper(stores: Stores, path: string): KeyObject {
  stores.createPrivate(path, randomBytes(pepperBytes))
  const pepper = readPepper(path)
  if (pepper === undefined) throw new KeyStoreFault(`auth: the pepper ${path} vanished while it was made`)
  return pepper
}
