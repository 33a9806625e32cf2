// Signature Version 4 as S3 checks it, computed anew from what came over the wire.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** The code of the error that S3 answers with; undefined where the request is genuine. */
export function findForgery(
  request: IncomingMessage,
  body: Uint8Array,
  { id, secret, region }: { readonly id: string; readonly secret: string; readonly region: string },
): string | undefined {
  const header = (name: string): string => String(request.headers[name] ?? '')
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      header('authorization'),
    )
  if (parts === null) return 'AccessDenied'
  const [, keyId, day, where, names, signature] = parts as unknown as readonly [string, string, string, string, string, string]
  if (keyId !== id) return 'InvalidAccessKeyId'
  if (where !== region) return 'AuthorizationHeaderMalformed'
  const time = header('x-amz-date')
  const at = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time)
  if (at === null || !time.startsWith(day)) return 'AccessDenied'
  const [, y, mo, d, h, mi, s] = at.map(Number) as unknown as readonly number[]
  if (Math.abs(Date.UTC(y!, mo! - 1, d, h, mi, s) - Date.now()) > 900_000) return 'RequestTimeTooSkewed'
  const signed = names.split(';')
  // Spec: the host, and every x-amz header that is sent.
  const needed = ['host', ...Object.keys(request.headers).filter(name => name.startsWith('x-amz-'))]
  if (needed.some(name => !signed.includes(name))) return 'AccessDenied'
  const digest = header('x-amz-content-sha256')
  if (digest !== 'UNSIGNED-PAYLOAD' && digest !== sha256(body)) return 'XAmzContentSHA256Mismatch'
  const [path, query = ''] = request.url!.split('?')
  const canonical = [
    request.method,
    path,
    query.split('&').sort().join('&'),
    ...signed.map(name => `${name}:${header(name).trim().replace(/ +/g, ' ')}`),
    '',
    names,
    digest,
  ].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const key = [day, region, 's3', 'aws4_request'].reduce<Uint8Array | string>(hmac, `AWS4${secret}`)
  const expected = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`)
  return timingSafeEqual(expected, Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch'
}
