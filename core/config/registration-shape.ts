// What may stand under `registration`: whether servers may be registered while gateways run, and what these may have.
import * as z from 'zod'
import { namePattern } from '../secrets/value.ts'
import { coded } from './fields.ts'
import type { RegistrationConfig } from './registration-config.ts'

type Sent = Readonly<Record<string, readonly string[]>>
export interface RegistrationShape {
  readonly commands?: boolean | undefined
  readonly origins?: readonly string[] | undefined
  readonly secrets?: Sent | undefined
  readonly variables?: Sent | undefined
}

const origin = z
  .string()
  .refine(
    isOrigin,
    coded('bad-value', 'not an origin: expected https://HOST, with :PORT where it is not the usual one, or https://*.DOMAIN'),
  )
const origins = z.array(origin).min(1)
const sent = (name: RegExp, what: string): z.ZodType<Sent> => z.record(z.string().regex(name, `not the name of a ${what}`), origins)

export const registrationShape: z.ZodType<RegistrationShape> = z
  .strictObject({
    commands: z
      .boolean()
      .optional()
      .meta({ description: 'true: also commands, which do on this machine whatever the gateway may; default false' }),
    origins: origins.optional().meta({
      description: 'Where they may be, beside the public internet over https',
      examples: [['http://10.0.3.7:8000', 'https://*.tools.example']],
    }),
    secrets: sent(namePattern, 'secret')
      .optional()
      .meta({
        description: 'Secrets that their headers may name, and the origins that each may be sent to; no other',
        examples: [{ 'crm-token': ['https://crm.tools.example'] }],
      }),
    variables: sent(/^[A-Za-z_][A-Za-z0-9_]*$/, 'variable')
      .optional()
      .meta({ description: 'The same for variables of the environment' }),
  })
  .meta({ description: 'Servers may be registered while gateways run, by operators; where it is left out, nobody may' })

export function buildRegistration({ commands, origins: places, secrets, variables }: RegistrationShape): RegistrationConfig {
  return { commands: commands ?? false, origins: places ?? [], secrets: secrets ?? {}, variables: variables ?? {} }
}

function isOrigin(text: string): boolean {
  const plain = text.replace('://*.', '://any.')
  return /^https?:\/\/[^*]+$/.test(plain) && URL.canParse(plain) && new URL(plain).origin === plain
}

/** Whether a url is at one of these. */
export function isAt(url: string, places: readonly string[]): boolean {
  const { protocol, hostname, port, origin: whole } = new URL(url)
  return places.some(place => {
    if (!place.includes('://*.')) return place === whole
    const wide = new URL(place.replace('://*.', '://any.'))
    return wide.protocol === protocol && wide.port === port && hostname.endsWith(wide.hostname.slice('any'.length))
  })
}
