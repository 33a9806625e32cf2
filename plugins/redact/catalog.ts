// The built-in detectors, in the order in which they name a finding that two of them cover alike, and the groups they are chosen by.
import type { Action, Detector } from './detector.ts'
import { aba } from './detectors/aba.ts'
import { auTfn } from './detectors/au-tfn.ts'
import { brCnpj, brCnpjPrinted } from './detectors/br-cnpj.ts'
import { brCpf } from './detectors/br-cpf.ts'
import { card } from './detectors/card.ts'
import { deTaxId } from './detectors/de-tax-id.ts'
import { email } from './detectors/email.ts'
import { esNie, esNif } from './detectors/es-nif.ts'
import { frNir, frNirCorsica } from './detectors/fr-nir.ts'
import { iban } from './detectors/iban.ts'
import { inAadhaar } from './detectors/in-aadhaar.ts'
import { ipv4, ipv6 } from './detectors/ip.ts'
import { itin } from './detectors/itin.ts'
import { macs } from './detectors/mac.ts'
import { nhs } from './detectors/nhs.ts'
import { nino } from './detectors/nino.ts'
import { nlBsn } from './detectors/nl-bsn.ts'
import { npi } from './detectors/npi.ts'
import { fieldPassword, urlPassword } from './detectors/password.ts'
import { phone } from './detectors/phone.ts'
import { plPesel } from './detectors/pl-pesel.ts'
import { basic, bearer, jwtForm, privateKey } from './detectors/secrets/armour.ts'
import { azureSecret, cloudForms } from './detectors/secrets/cloud.ts'
import { codeForms } from './detectors/secrets/code.ts'
import { toDetector } from './detectors/secrets/form.ts'
import { namedSecrets } from './detectors/secrets/named.ts'
import { discordToken, serviceForms, telegramToken } from './detectors/secrets/services.ts'
import { ssn } from './detectors/ssn.ts'

const personal: readonly Detector[] = [card, ssn, iban, email, phone, aba, npi]
const national: readonly Detector[] = [
  ssn,
  itin,
  nhs,
  nino,
  deTaxId,
  esNif,
  esNie,
  frNir,
  frNirCorsica,
  nlBsn,
  plPesel,
  inAadhaar,
  auTfn,
  brCpf,
  brCnpj,
  brCnpjPrinted,
]
const network: readonly Detector[] = [ipv4, ipv6, ...macs]
const forms = [...cloudForms, ...codeForms, ...serviceForms, jwtForm].map(toDetector)
const secrets: readonly Detector[] = [
  urlPassword,
  privateKey,
  ...forms,
  azureSecret,
  telegramToken,
  discordToken,
  ...namedSecrets,
  fieldPassword,
  basic,
  bearer,
]

// Invariant: urlPassword precedes email, for which `password@host.com` looks like an address.
export const detectors: readonly Detector[] = [
  urlPassword,
  ...new Set([...personal, ...national, ...network]),
  ...secrets.filter(detector => detector !== urlPassword),
]

/** Config words that stand for several detectors. A detector may be in two. */
export const groups: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({ pii: personal, 'national-ids': national, network, secrets }).map(
    ([name, members]) => [name, new Set(members.map(({ id }) => id))] as const,
  ),
)

export const ids: readonly string[] = [...new Set(detectors.map(detector => detector.id))]

/** All that the config may name: detectors, and groups of them. */
export const words: readonly string[] = [...ids, ...groups.keys()]

/** `network` is left out: a tool that is told a host by its address would no longer reach it. */
export const usual: readonly string[] = ['pii', 'national-ids', 'secrets']

/** The detectors of these words; an action for a detector goes before one for its group, and the last group before the first. */
export function selectDetectors(wanted: readonly string[], actions: Readonly<Record<string, Action | undefined>>): readonly Detector[] {
  const chosen = new Set(wanted.flatMap(word => [...(groups.get(word) ?? [word])]))
  const byGroup = new Map<string, Action>()
  for (const [name, members] of groups) {
    const action = actions[name]
    if (action !== undefined) for (const id of members) byGroup.set(id, action)
  }
  return detectors
    .filter(({ id }) => chosen.has(id))
    .map(detector => ({ ...detector, action: actions[detector.id] ?? byGroup.get(detector.id) ?? detector.action }))
}
