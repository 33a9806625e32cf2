// A principal as the config writes one down: whom stdio clients and certificates stand for, and keys in the config.
import { z } from 'zod'
import { idPattern, namePattern, rolePattern } from './names.ts'

export interface PrincipalConfig {
  readonly id: string
  readonly name?: string | undefined
  readonly roles: readonly string[]
  readonly tenant: string
  readonly claims: Readonly<Record<string, unknown>>
}

export const id: z.ZodString = z.string().regex(idPattern, 'an id is letters, digits and _ . : @ / + -')
const role = z.string().regex(rolePattern, 'a role is letters, digits, _ . : and -, without wildcards')

/** All of it but the id. */
export const aboutPrincipal: {
  readonly name: z.ZodOptional<z.ZodString>
  readonly roles: z.ZodDefault<z.ZodArray<z.ZodString>>
  readonly tenant: z.ZodDefault<z.ZodString>
  readonly claims: z.ZodDefault<z.ZodRecord<z.ZodString, z.ZodJSONSchema>>
} = {
  name: z.string().regex(namePattern, 'a name is one line of text').optional(),
  roles: z.array(role).default([]),
  tenant: id.default('default'),
  claims: z.record(z.string(), z.json()).default({}).describe('Facts about the principal that policies may ask for'),
}
