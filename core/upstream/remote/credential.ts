// What the gateway shows a remote server of who calls: obtained when it is needed, renewed before it ends.
import type { Behalf } from '../behalf.ts'
import type { TransportFault } from '../transport.ts'

export interface Credential {
  /** The token, where it is at hand and still good. */
  now(): string | undefined
  /**
   * One that is good; with `refused`, one that is not the token that the server refused. Undefined where there is no other.
   * Rejects with a CredentialFault where none can be had.
   */
  obtain(refused?: string): Promise<string | undefined>
}

/** Of one server and one owner of lanes. Without `behalf`: what the gateway sends of its own (openings, lists, streams). */
export interface CredentialSource {
  of(behalf: Behalf | undefined): Credential
}

/** No credential can be had, so nothing was sent. */
export class CredentialFault extends Error {
  readonly fault: TransportFault

  constructor(fault: TransportFault) {
    super(fault.detail)
    this.fault = fault
  }
}
