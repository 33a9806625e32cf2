// The client of an object store: what it may do on its own (nothing), and what its errors come to in words that are safe to show.
import type { GetObjectCommandInput, PutObjectCommandInput, PutObjectCommandOutput } from '@aws-sdk/client-s3'
import type { Clock } from 'mcpgw/plugin'
import { Refused } from './exports/batch.ts'
import { readWait } from './exports/webhook.ts'
import type { S3Config } from './s3-settings.ts'

export interface S3Store {
  put(input: PutObjectCommandInput, signal: AbortSignal): Promise<PutObjectCommandOutput>
  get(input: GetObjectCommandInput, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
}

/** Bytes of an answer that is no object. */
const LONGEST = 65_536

export async function openStore({ region, endpoint, pathStyle, credentials }: S3Config): Promise<S3Store> {
  const { GetObjectCommand, PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
  const client = new S3Client({
    region,
    ...(endpoint !== undefined && { endpoint }),
    // Where records go is said in the settings of the gateway, and nowhere else.
    ignoreConfiguredEndpointUrls: true,
    followRegionRedirects: false,
    forcePathStyle: pathStyle,
    // A copy: the client notes things in it.
    ...(credentials !== undefined && { credentials: { ...credentials } }),
    // Who calls tries again, until it works and with health telling; tries within a try would only hide that.
    maxAttempts: 1,
    // Both are ours to see to: SHA-256 goes along, and what comes is compared.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    streamCollector: collect,
  })
  return {
    put: (input, abortSignal) => client.send(new PutObjectCommand(input), { abortSignal }),
    async get(input, abortSignal) {
      const { Body } = await client.send(new GetObjectCommand(input), { abortSignal })
      return (Body ?? []) as AsyncIterable<Uint8Array>
    },
  }
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > LONGEST) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

interface Failure {
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> }
}

/** Of an answer its status, its code and how long it asks to wait, and nothing else that the other side wrote. */
export function explain(error: unknown, clock: Pick<Clock, 'now'>): Error {
  const { name = '', code, message, $metadata, $response } = error as Failure
  const status = $metadata?.httpStatusCode ?? $response?.statusCode
  if (status === undefined) return new Error(message || code || name)
  const said = /^[A-Z][A-Za-z]{2,50}$/.test(name) && name !== 'Error' ? ` ${name}` : ''
  const headers = $response?.headers
  const region = /^[a-z0-9-]{1,40}$/.exec(headers?.['x-amz-bucket-region'] ?? '')?.[0]
  const where = region !== undefined && status >= 300 ? `; the bucket is in ${region}` : ''
  return new Refused(`answered ${status}${said}${where}`, status, readWait(headers?.['retry-after'], clock))
}
