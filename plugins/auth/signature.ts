// Whether a key made the signature of a token. The algorithm is the one that the key is bound to, not whatever a header says.
import { compactVerify } from 'jose'
import type { Algorithm } from './jwt-config.ts'
import type { VerificationKey } from './key-set.ts'

export async function isSigned(token: string, key: VerificationKey, algorithm: Algorithm): Promise<boolean> {
  try {
    await compactVerify(token, await key.bind(algorithm), { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}
