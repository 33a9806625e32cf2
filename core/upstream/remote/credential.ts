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

/** As it is sent: what is signed of a request. */
export interface SignedRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

/** In place of a credential: each request is signed. Of one server and one owner of lanes. */
export interface RequestSigner {
  /** Throws a CredentialFault where nothing could be signed at all. */
  check(): void
  /** Value of the header. Throws a CredentialFault where this one cannot be. */
  sign(request: SignedRequest, behalf: Behalf | undefined): string
  /** A response has begun; why it is a refusal of the signature, or of whoever asks, where it is one. `isOpening`: nothing was agreed on before. */
  heard(status: number, challenge: string | undefined, isOpening: boolean): CredentialFault | undefined
}

/** No credential can be had, so nothing was sent. */
export class CredentialFault extends Error {
  readonly fault: TransportFault

  constructor(fault: TransportFault) {
    super(fault.detail)
    this.fault = fault
  }
}
