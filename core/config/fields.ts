// Kinds of values that several parts of the config schema are made of.
import * as z from 'zod'
import type { DiagnosticCode } from './diagnostic.ts'
import { parseDuration } from './duration.ts'

/** A check with a diagnostic code of its own. */
export function coded(code: DiagnosticCode, error: string): { error: string; params: { code: DiagnosticCode } } {
  return { error, params: { code } }
}

/** Texts that reach processes and protocols: no NUL. */
export const text: z.ZodString = z
  .string()
  .refine(value => !value.includes('\u0000'), coded('bad-value', 'a NUL character cannot stand here'))
export const words: z.ZodString = text.min(1)

/** All are named by leaving the list out. */
export const tenant: z.ZodString = words.refine(
  value => !value.includes('*'),
  coded('bad-value', 'not the name of a tenant: expected one without *'),
)

export const count = (least: number, most: number): z.ZodType<number> => z.number().int().min(least).max(most)

export const url: z.ZodType<string> = z
  .string()
  .refine(isHttpUrl, coded('bad-value', 'not an http or https URL without user name and fragment'))
  .meta({ format: 'uri' })

/** Where secrets are sent, or people are: nobody on the way may read along. */
export const guardedUrl: z.ZodType<string> = z
  .string()
  .refine(isGuarded, coded('bad-value', 'not an https URL without user name and fragment (http is for this machine alone)'))
  .meta({ format: 'uri' })

export type Duration = string | number | undefined

export const duration: z.ZodType<Duration> = z
  .union([z.string(), z.number()])
  .refine(
    value => parseDuration(value) !== undefined,
    coded('bad-duration', 'not a duration: write 250ms, 30s, 5m, or a number of milliseconds'),
  )
  .meta({ examples: ['250ms', '30s', '5m'] })

function isHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, username, password, hash } = new URL(value)
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '' && hash === ''
}

export function isGuarded(value: string): boolean {
  if (!isHttpUrl(value)) return false
  const { protocol, hostname } = new URL(value)
  return protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}
