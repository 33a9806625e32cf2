// The settings of a place in an object store: the same for exports and for anchors.
import { z } from 'zod'
import { findFault, WEB } from './addresses.ts'
import { timeout } from './duration.ts'
import type { Shape } from './kinds.ts'

export interface S3Config {
  readonly bucket: string
  /** Of all keys: empty, or with a slash at its end. */
  readonly prefix: string
  readonly region: string
  /** Undefined: that of AWS in the region. */
  readonly endpoint: string | undefined
  /** The bucket is in the path of the address, not in its host. */
  readonly pathStyle: boolean
  /** Undefined: found as other tools for AWS find them. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | undefined
  /** How long nobody can delete what is put there. Undefined: as the bucket has it. */
  readonly objectLock: { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly days: number } | undefined
  /** ms that an answer may take. */
  readonly timeout: number
}

/** Characters that need no care anywhere; no empty part, and none that is only dots. */
const PLACE = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/(?!\.+(?:\/|$))[A-Za-z0-9!_.()-]{1,100}){0,5})\/?$/
/** Of buckets that are none: they know neither locks nor lists in order. */
const OTHER_KINDS = /--[a-z0-9]+-s3$/

/** What an entry with `s3` has. */
export interface S3Given {
  readonly s3: string
  readonly region: string
  readonly endpoint: string | undefined
  readonly pathStyle: boolean
  readonly accessKeyId: string | undefined
  readonly secretAccessKey: string | undefined
  readonly sessionToken: string | undefined
  readonly objectLock: { readonly mode: 'governance' | 'compliance'; readonly days: number } | undefined
  readonly timeout: number
  readonly insecure: boolean
}
export const s3Shape: Shape<S3Given> = {
  s3: z
    .string()
    .refine(text => PLACE.test(text) && !OTHER_KINDS.test(PLACE.exec(text)![1]!), 'expected s3://BUCKET or s3://BUCKET/PREFIX of a bucket'),
  region: z.string().regex(/^[a-z0-9-]{1,40}$/, 'expected a region such as eu-central-1'),
  endpoint: z.string().optional(),
  pathStyle: z.boolean().default(false),
  accessKeyId: z.string().min(1).optional(),
  secretAccessKey: z.string().min(1).optional(),
  sessionToken: z.string().min(1).optional(),
  objectLock: z.strictObject({ mode: z.enum(['governance', 'compliance']), days: z.int().min(1).max(36_500) }).optional(),
  timeout,
  insecure: z.boolean().default(false),
}

export function findS3Fault({ endpoint, accessKeyId, secretAccessKey, sessionToken, insecure }: S3Given): string | undefined {
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined) || (sessionToken !== undefined && accessKeyId === undefined))
    return 'expected accessKeyId and secretAccessKey, or neither'
  if (endpoint === undefined) return undefined
  const fault = findFault(endpoint, WEB, insecure)
  if (fault !== undefined) return `endpoint: ${fault}`
  const { pathname, search, hash } = new URL(endpoint)
  return pathname === '/' && search === '' && hash === '' ? undefined : 'endpoint: expected an address without a path'
}

export function s3ConfigOf({ s3, accessKeyId, secretAccessKey, sessionToken, objectLock, ...rest }: S3Given): S3Config {
  const [, bucket, path] = PLACE.exec(s3)!
  return {
    bucket: bucket!,
    prefix: path === '' ? '' : `${path!.slice(1)}/`,
    region: rest.region,
    endpoint: rest.endpoint,
    pathStyle: rest.pathStyle,
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    objectLock: objectLock && { mode: objectLock.mode === 'governance' ? 'GOVERNANCE' : 'COMPLIANCE', days: objectLock.days },
    timeout: rest.timeout,
  }
}
