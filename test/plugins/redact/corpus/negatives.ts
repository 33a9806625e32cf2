// What a gateway sees all day and must not touch: at least 50,000 texts, many of them made to look like what is searched for.
import { createHash } from 'node:crypto'
import { ibans, luhnDigit } from './accounts.ts'
import * as national from './national.ts'
import { alphabet, type Chance, createChance } from './random.ts'

const { hex, alphanumeric, base64, capitals } = alphabet
const words = 'order invoice ticket case item batch parcel shipment request build job run session customer product ledger entry'.split(' ')

type Maker = (chance: Chance) => string

const spoil = (value: string, at: number): string => {
  const digit = Number(value[at])
  return value.slice(0, at) + ((digit + 1) % 10) + value.slice(at + 1)
}
const last = (value: string): string => spoil(value, value.length - 1)
const stamp = (chance: Chance): Date => new Date(Date.UTC(2000, 0, 1) + chance.below(1e6) * 913_000 + chance.below(1000))
const uuid = (chance: Chance): string =>
  `${chance.text(hex, 8)}-${chance.text(hex, 4)}-4${chance.text(hex, 3)}-${chance.text('89ab', 1)}${chance.text(hex, 3)}-${chance.text(hex, 12)}`

const identifiers: readonly Maker[] = [
  uuid,
  c => uuid(c).toUpperCase(),
  c => `${c.digits(8)}-${c.digits(4)}-4${c.digits(3)}-8${c.digits(3)}-${c.digits(12)}`,
  c => c.text(hex, 40),
  c => c.text(hex, 64),
  c => c.text(hex, 7),
  c => `sha512-${createHash('sha512').update(c.digits(9)).digest('base64')}`,
  c => `sha256:${c.text(hex, 64)}`,
  c => `"integrity": "sha1-${c.text(base64, 27)}="`,
  c => c.text(base64, c.between(40, 200)),
  c => `data:image/png;base64,iVBORw0KGgo${c.text(base64, 120)}`,
  c => Array.from({ length: 16 }, () => c.text(hex, 2)).join(' '),
  c => `0000${c.text(hex, 4)}  ${Array.from({ length: 8 }, () => c.text(hex, 4)).join(' ')}`,
  c => `0x${c.text(hex, 16)}`,
  c => `01J${c.text('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 23)}`,
  c => `arn:aws:iam::${c.digits(12)}:role/${c.from(words)}`,
]
const times: readonly Maker[] = [
  c => stamp(c).toISOString(),
  c => stamp(c).toISOString().slice(0, 10),
  c =>
    stamp(c)
      .toISOString()
      .replace(/[-:TZ.]/g, '')
      .slice(0, 14),
  c => String(stamp(c).getTime()),
  c => `${stamp(c).getTime()}${c.digits(6)}`,
  c => String(stamp(c).getTime() / 1000),
  c => stamp(c).toUTCString(),
  c => `${stamp(c).toISOString().slice(0, 19).replace('T', ' ')}+0${c.below(9)}:00`,
  c => `${c.between(10, 23)}:${c.between(10, 59)}:${c.between(10, 59)}.${c.digits(6)}`,
  c => `${c.between(1, 28)}/${c.between(1, 12)}/20${c.digits(2)} ${c.between(10, 23)}:${c.digits(2)}`,
]
const versions: readonly Maker[] = [
  c => `${c.below(30)}.${c.below(30)}.${c.below(99)}`,
  c => `v${c.below(30)}.${c.below(30)}.${c.below(99)}.${c.below(200)}`,
  c => `Chrome/${c.between(90, 140)}.0.${c.between(1000, 7000)}.${c.below(255)}`,
  c => `Chrome/${c.between(90, 140)}.0.0.0`,
  c => `version ${c.between(1, 20)}.${c.below(20)}.${c.below(20)}.${c.below(20)}`,
  c => `0.0.0-experimental-${c.text(hex, 10)}-20${c.digits(6)}`,
  c => `1.0.0+build.${c.digits(9)}`,
  c => `${c.from(words)}@${c.below(9)}.${c.below(30)}.${c.below(30)}`,
  c => `1.3.6.1.4.1.${c.digits(4)}.${c.below(30)}.${c.below(30)}`,
]
const orders: readonly Maker[] = [
  c => `${c.from(words)} ${c.digits(c.between(5, 10))}`,
  c => `${c.from(words).toUpperCase().slice(0, 3)}-20${c.digits(2)}-${c.digits(6)}`,
  c => `${c.text(capitals, 2)}-${c.digits(7)}`,
  c => `#${c.digits(9)}`,
  c => `PO 45${c.digits(8)}`,
  c => `{"id":${c.digits(1).replace('0', '1')}${c.digits(8)},"total":${c.digits(3).replace(/^0/, '1')}.${c.digits(2)}}`,
  c => `${c.digits(3)}-${c.digits(7)}-${c.digits(7)}`,
  c => `1Z${c.text(capitals + alphabet.digits, 6)}${c.digits(10)}`,
  c => `ISBN 978-${c.between(0, 9)}-${c.digits(4)}-${c.digits(4)}-${c.digits(1)}`,
  c => `SKU${c.text(capitals, 2)}${c.digits(6)}${c.text(capitals, 1)}`,
  c => `${c.digits(2)}-${c.digits(7)}`,
  c => `${c.between(1, 90)}.${c.digits(6)}, -${c.between(1, 179)}.${c.digits(6)}`,
  c => `0.${c.digits(16)}`,
  c => `${c.between(100, 999)} ${c.between(100, 999)} ${c.between(100, 999)} rows`,
]
const failing: readonly Maker[] = [
  c => last(withLuhn(`4${c.digits(14)}`)),
  c => last(withLuhn(`5${c.between(1, 5)}${c.digits(13)}`)).replace(/.{4}(?=.)/g, '$& '),
  c => last(withLuhn(`37${c.digits(12)}`)),
  c => withLuhn(`7${c.digits(14)}`),
  c => withLuhn(`99${c.digits(13)}`),
  c => `666-${c.digits(2)}-${c.digits(4)}`,
  c => `000-${c.digits(2)}-${c.digits(4)}`,
  c => `${c.between(100, 600)}-00-${c.digits(4)}`,
  c => `${c.between(100, 600)}-${c.between(10, 99)}-0000`,
  c => `NHS number ${last(national.nhs(c))}`,
  c => `BSN ${last(national.bsn(c))}`,
  c => `PESEL ${last(national.pesel(c))}`,
  c => `Aadhaar ${last(national.aadhaar(c))}`,
  c => `TFN ${spoil(national.tfn(c), 2)}`,
  c => `CPF ${last(national.printed.cpf(national.cpf(c)))}`,
  c => `CNPJ ${last(national.printed.cnpj(national.cnpj(c, false)))}`,
  c => `IdNr ${last(national.germanTaxId(c))}`,
  c => `NPI ${last(national.npi(c))}`,
  c => last(national.nir(c)),
  c => `routing ${c.between(13, 20)}${c.digits(7)}`,
  c => last(ibans(c)[0]!),
  c => `Q${c.text('DFIQUV', 1)} ${c.digits(2)} ${c.digits(2)} ${c.digits(2)} A`,
  c => `+${c.from(['0', '210', '999', '384', '424'])}${c.digits(9)}`,
  c => `+1 ${c.between(0, 1)}${c.digits(2)} ${c.digits(3)} ${c.digits(4)}`,
  c => `+${c.digits(c.between(2, 6))}`,
  c => `${c.between(256, 999)}.${c.digits(2)}.${c.digits(2)}.${c.digits(2)}`,
  c => `127.0.0.${c.between(1, 9)}`,
  c => `255.255.${c.from(['0', '255'])}.0`,
]
const unsecret: readonly Maker[] = [
  c => `ghp_${'x'.repeat(36)}${c.from(['', ' ', '.'])}`,
  c => `ghp_${c.text(alphanumeric, c.between(4, 30))}`,
  c => `AKIA${c.text(capitals, c.from([8, 12, 20]))}`,
  () => 'sk-your-api-key-goes-here-please',
  c => `sk-${c.from(words)}-${c.from(words)}-${c.from(words)}-container`,
  c => `npm_config_${c.from(words)}_${c.from(words)}`,
  c => `SK${c.text(capitals, 32)}`,
  c => `eyJ${c.text(alphanumeric, 40)}`,
  c => `key-${c.from(words)}-${c.digits(4)}`,
  c => `hf_${c.from(words)}_${c.from(words)}`,
  c => `EAAA${c.text(alphanumeric, 20)}`,
  c => `Bearer ${c.from(words)}`,
  c => `basic ${c.from(words)} ${c.from(words)}`,
  c => `secret access key rotated by ${c.from(words)}`,
  c => `pypi-${c.from(words)}-${c.from(words)}-mirror-of-the-${c.from(words)}-index`,
  c => `-----BEGIN CERTIFICATE-----\n${c.text(base64, 64)}\n-----END CERTIFICATE-----`,
  c => `postgres://app:${c.from(['[PASSWORD]', '****', `\${DB}`])}@db.example.com`,
  c => `password=${c.from(words)}`,
  c => `git@github.com:${c.from(words)}/${c.from(words)}.git`,
  c => `${c.from(words)}@${c.below(9)}.${c.below(9)}.${c.below(9)}.tgz`,
  c => `@${c.from(words)}/${c.from(words)}`,
  c => `${c.text(alphanumeric, 40)}`,
  c => `${c.between(1, 99)}:AA${c.text(alphanumeric, 10)}`,
]
const frames = ['@', '"@"', 'see @, please', 'that was @.', '(@)', 'first\n@\nlast', 'x: @', '{"value":"@"}', 'ref=@;', '[@]']

function withLuhn(body: string): string {
  return body + luhnDigit(body)
}

/** As many texts of each kind. */
export function negatives(seed: number, count: number): string[] {
  const chance = createChance(seed)
  const kinds = [identifiers, times, versions, orders, failing, unsecret]
  const all = kinds.flat()
  return Array.from({ length: count }, (_, i) => {
    const value = all[i % all.length]!(chance)
    return chance.from(frames).replace('@', () => value)
  })
}
