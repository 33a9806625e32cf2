// The settings of anchors: the places that checkpoints are kept in, out of the reach of whoever can change the log.
import { z } from 'zod'
import { findFault, SYSLOG, WEB } from './addresses.ts'
import { type SyslogReceiver, syslogOf, syslogShape } from './exports/config.ts'
import { describeKinds } from './kinds.ts'
import { findS3Fault, type S3Config, s3ConfigOf, s3Shape } from './s3-settings.ts'

export type AnchorConfig =
  /** Relative to the data directory. */
  | { readonly file: string }
  | { readonly webhook: string; readonly headers?: Readonly<Record<string, string>> | undefined }
  | { readonly syslog: SyslogReceiver }
  | { readonly s3: S3Config }

const one = z.union(
  [
    z.strictObject({ file: z.string().min(1) }),
    z.strictObject({ webhook: z.string(), headers: z.record(z.string(), z.string()).optional(), insecure: z.boolean().default(false) }),
    z.strictObject(syslogShape),
    z.strictObject(s3Shape),
  ],
  { error: describeKinds(['file', 'webhook', 'syslog', 's3']) },
)

export const anchorList: z.ZodType<readonly AnchorConfig[], unknown> = z
  .array(one)
  .max(8)
  .default([])
  .transform((list, ctx) =>
    list.map((given, at): AnchorConfig => {
      const problem = findProblem(given)
      if (problem !== undefined) ctx.addIssue({ code: 'custom', path: [at], message: problem })
      if ('webhook' in given) return { webhook: given.webhook, headers: given.headers }
      if ('syslog' in given) return { syslog: syslogOf(given) }
      return 's3' in given && problem === undefined ? { s3: s3ConfigOf(given) } : (given as AnchorConfig)
    }),
  )

function findProblem(given: z.output<typeof one>): string | undefined {
  if ('s3' in given) return findS3Fault(given)
  if ('webhook' in given) return findFault(given.webhook, WEB, given.insecure)
  return 'syslog' in given ? findFault(given.syslog, SYSLOG, given.insecure) : undefined
}
