// What `privacy export` and `privacy erase` have in common: whom they are asked about, and what the log knows them by.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { readMasterKey } from '../master-key.ts'
import type { Sought } from '../people.ts'
import { masterKeyPath } from '../store/open.ts'
import { deriveKeys, type Keys } from '../subjects.ts'

export type Io = CommandIo<AuditConfig>

/** A string says what is wrong. */
export function readSought({ options }: Io): Sought | string {
  const { subject, tenant } = options
  if (typeof subject !== 'string' || subject === '')
    return '--subject: expected whose data: the id of a principal, or `cli:` and a name for an operator'
  return { id: subject, tenant: typeof tenant === 'string' ? tenant : undefined }
}

/** Throws where it is not there: without it nobody can be found in the log. */
export const masterKeys = ({ stores, config }: Io): Keys => deriveKeys(readMasterKey(masterKeyPath(stores, config)))

export const describeForeign = (foreign: number): string =>
  `${foreign} pseudonyms of this log belong to another audit key; who they are can only be told where that key is`
