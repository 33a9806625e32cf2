// The built-in detectors, in the order in which they name a finding that two of them cover alike.
import type { Action, Detector } from './detector.ts'
import { card } from './detectors/card.ts'
import { email } from './detectors/email.ts'
import { iban } from './detectors/iban.ts'
import { fieldPassword, urlPassword } from './detectors/password.ts'
import { bearer, privateKey, secrets } from './detectors/secrets.ts'
import { ssn } from './detectors/ssn.ts'

// Invariant: urlPassword precedes email, for which `password@host.com` looks like an address.
export const detectors: readonly Detector[] = [card, ssn, iban, urlPassword, email, privateKey, ...secrets, fieldPassword, bearer]

export const personal: readonly string[] = [card.id, ssn.id, iban.id, email.id]

export const ids: readonly string[] = [...new Set(detectors.map(detector => detector.id))]

/** The detectors of these ids with these actions; `secrets` stands for all that is not personal. */
export function selectDetectors(wanted: readonly string[], actions: Readonly<Record<string, Action | undefined>>): readonly Detector[] {
  const all = wanted.includes('secrets')
  return detectors
    .filter(({ id }) => wanted.includes(id) || (all && !personal.includes(id)))
    .map(detector => ({
      ...detector,
      action: actions[detector.id] ?? (personal.includes(detector.id) ? undefined : actions.secrets) ?? detector.action,
    }))
}
