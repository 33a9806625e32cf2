// An object is put once: it is never overwritten, never taken as put where that is not known, and what a store says is not believed but compared.
import { createHash } from 'node:crypto'
import dns from 'node:dns'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { s3Place } from '../../../plugins/audit/s3.ts'
import type { S3Config } from '../../../plugins/audit/s3-settings.ts'
import { ACCESS, type Behaviour, BUCKET, REGION, type Store, startStore } from '../../s3/fake.ts'

const { signal } = new AbortController()
const clock = { now: () => Date.now() }
const object = (text = 'one\ntwo\n', key = 'gw.boot/1.jsonl') => ({ key, body: Buffer.from(text), contentType: 'application/x-ndjson' })
const place = ({ url }: Pick<Store, 'url'>, more: Partial<S3Config> = {}) =>
  s3Place(
    {
      bucket: BUCKET,
      prefix: 'logs/',
      region: REGION,
      endpoint: url,
      pathStyle: true,
      credentials: ACCESS,
      objectLock: undefined,
      timeout: 10_000,
      ...more,
    },
    clock,
  )

describe('an object', () => {
  test('is put with its type and its checksum, signed; and once more it is found to be there', async () => {
    const store = await startStore()
    const there = place(store)
    expect(there.name).toBe('s3://acme-audit/logs/')
    await there.put(object(), signal)
    await there.put(object(), signal)
    expect(store.objects()).toMatchObject([
      {
        key: 'logs/gw.boot/1.jsonl',
        contentType: 'application/x-ndjson',
        checksum: createHash('sha256').update('one\ntwo\n').digest('base64'),
        lock: undefined,
      },
    ])
    expect(store.asked.map(({ what, status }) => `${what} ${status}`)).toEqual([
      'PUT logs/gw.boot/1.jsonl 200',
      'PUT logs/gw.boot/1.jsonl 412',
      'GET logs/gw.boot/1.jsonl 200',
    ])
    expect(store.forgeries).toEqual([])
  })

  test('of megabytes arrives whole', async () => {
    const store = await startStore()
    await place(store).put(object('0123456789abcdef'.repeat(600_000)), signal)
    expect(store.objects()[0]?.body.length).toBe(9_600_000)
  })

  test.each(['one\ntwX\n', 'one\n', 'one\ntwo\nthree\n', ''])(
    'that is there with the content %j is not overwritten, and does not count',
    async text => {
      const store = await startStore()
      store.plant('logs/gw.boot/1.jsonl', text)
      await expect(place(store).put(object(), signal)).rejects.toThrow(
        'another object has the key logs/gw.boot/1.jsonl; it was not overwritten',
      )
      expect(store.objects().map(({ body }) => String(body))).toEqual([text])
    },
  )

  test('is locked for as long as the settings say, and then nobody deletes it', async () => {
    const store = await startStore()
    const there = place(store, { objectLock: { mode: 'COMPLIANCE', days: 400 } })
    await there.put(object(), signal)
    await there.put(object(), signal)
    const [{ key, lock }] = store.objects() as [ReturnType<Store['objects']>[number]]
    expect(lock?.mode).toBe('COMPLIANCE')
    expect(Math.abs(lock!.until - Date.now() - 400 * 86_400_000)).toBeLessThan(600_000)
    expect(store.remove(key)).toBe('AccessDenied')
    expect(store.objects()).toHaveLength(1)
  })

  test('that cannot be locked is not put', async () => {
    const store = await startStore({ objectLock: false })
    const there = place(store, { objectLock: { mode: 'GOVERNANCE', days: 1 } })
    await expect(there.put(object(), signal)).rejects.toThrow('answered 400 InvalidRequest')
    expect(store.objects()).toEqual([])
  })

  test('is compared where the store tells no checksum', async () => {
    const store = await startStore({ checksums: false })
    await place(store).put(object(), signal)
    expect(store.asked.map(({ what }) => what.slice(0, 3))).toEqual(['PUT', 'GET'])
  })

  test('goes under every key that the fake signs as S3 does', async () => {
    const store = await startStore()
    const there = place(store)
    const keys = fc.stringMatching(/^[A-Za-z0-9!_.()-]{1,20}(\/[A-Za-z0-9!_.()-]{1,20}){0,2}$/).filter(key => !/(^|\/)\.+(\/|$)/.test(key))
    await fc.assert(
      fc.asyncProperty(keys, fc.string({ unit: 'binary' }), async (key, text) => {
        const given = object(text, `${text.length}-${key}`)
        await there.put(given, signal).catch((error: Error) => expect(error.message).toContain('another object'))
        expect(store.objects().some(one => one.key === `logs/${given.key}`)).toBe(true)
      }),
      { numRuns: 50 },
    )
    expect(store.forgeries).toEqual([])
  })
})

describe('what is not known to be there does not count', () => {
  test.each<[Behaviour, string | RegExp]>([
    ['error', 'answered 500 InternalError'],
    ['slow-down', 'answered 503 SlowDown'],
    ['conflict', 'answered 409 ConditionalRequestConflict'],
    ['forbidden', 'answered 403 AccessDenied'],
    ['redirect', 'answered 307 TemporaryRedirect'],
    ['moved', 'answered 301 PermanentRedirect; the bucket is in us-east-1'],
    ['nonsense', /Parse Error|answered/],
    ['bad-xml', 'answered 500'],
    ['html', 'another object has the key'],
    ['flood', /answer/],
    ['silent', 'no answer within 300 ms'],
    ['cut', /socket hang up|ECONNRESET/],
    ['stored-late', 'no answer within 300 ms'],
    ['stored-cut', /socket hang up|ECONNRESET/],
    ['stored-error', 'answered 500 InternalError'],
  ])('a store that answers with %s: %s; the next attempt puts it, or finds it', async (behaviour, why) => {
    const store = await startStore()
    store.behave(behaviour)
    const there = place(store, { timeout: behaviour === 'flood' ? 10_000 : 300 })
    const error = await there.put(object(), signal).then(
      () => undefined,
      (thrown: Error) => thrown,
    )
    expect(error?.message).toMatch(why)
    expect(error?.message).not.toContain('secret words')
    // Each attempt is one request: the client tries nothing again on its own, and goes nowhere else.
    await expect.poll(() => store.asked.filter(({ what }) => what.startsWith('PUT')).length).toBe(1)
    store.behave('good')
    await place(store).put(object(), signal)
    expect(store.objects().map(({ body }) => String(body))).toEqual(['one\ntwo\n'])
  })

  test('an object that cannot be read to its end is not the same', async () => {
    const store = await startStore()
    await place(store).put(object(), signal)
    store.behave('truncated')
    await expect(place(store).put(object(), signal)).rejects.toThrow(/aborted|ECONNRESET|terminated/)
    store.behave(method => (method === 'GET' ? 'forbidden' : 'good'))
    await expect(place(store).put(object(), signal)).rejects.toThrow('answered 403 AccessDenied')
  })

  test.each<[Partial<S3Config>, string]>([
    [{ credentials: { ...ACCESS, secretAccessKey: 'wrong' } }, 'answered 403 SignatureDoesNotMatch'],
    [{ credentials: { ...ACCESS, accessKeyId: 'AKIDOTHER' } }, 'answered 403 InvalidAccessKeyId'],
    [{ region: 'us-east-1' }, 'answered 400 AuthorizationHeaderMalformed'],
    [{ bucket: 'acme-other' }, 'answered 404 NoSuchBucket'],
    [{ endpoint: 'http://127.0.0.1:1' }, 'ECONNREFUSED'],
  ])('%j is said in words without a secret: %s', async (settings, why) => {
    const store = await startStore()
    const error = await place(store, settings)
      .put(object(), signal)
      .then(String, (thrown: Error) => thrown.message)
    expect(error).toContain(why)
    expect(error).not.toMatch(/wrong|AKID|secret words/)
  })

  test.each<[Partial<S3Config>, string]>([
    [{ endpoint: undefined }, 'acme-audit.s3.eu-central-1.amazonaws.com'],
    [{ endpoint: undefined, region: 'cn-north-1' }, 'acme-audit.s3.cn-north-1.amazonaws.com.cn'],
    [{ endpoint: undefined, bucket: 'acme.audit' }, 's3.eu-central-1.amazonaws.com'],
    [{ endpoint: 'https://store.example' }, 'acme-audit.store.example'],
    [{ endpoint: 'https://store.example', pathStyle: true }, 'store.example'],
  ])('%j goes to %s, whatever environment and profiles say', async (settings, host) => {
    const store = await startStore()
    const other = { AWS_ENDPOINT_URL: store.url, AWS_ENDPOINT_URL_S3: store.url, AWS_REGION: 'us-west-2', AWS_MAX_ATTEMPTS: '5' }
    for (const [name, value] of Object.entries(other)) vi.stubEnv(name, value)
    const asked: string[] = []
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((name: string, _options: object, done: (error: Error) => void) => {
      asked.push(name)
      done(new Error('no such name here'))
    }) as unknown as typeof dns.lookup)
    try {
      await expect(place(store, { pathStyle: false, ...settings }).put(object(), signal)).rejects.toThrow('no such name here')
    } finally {
      lookup.mockRestore()
      vi.unstubAllEnvs()
    }
    expect(asked).toEqual([host])
    expect(store.asked).toEqual([])
  })

  test('credentials are found as other tools find them, and their lack is told', async () => {
    const store = await startStore()
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere/config')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere/credentials')
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined)
    await expect(place(store, { credentials: undefined }).put(object(), signal)).rejects.toThrow(/credentials/i)
    vi.stubEnv('AWS_ACCESS_KEY_ID', ACCESS.accessKeyId)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', ACCESS.secretAccessKey)
    await place(store, { credentials: undefined }).put(object(), signal)
    vi.unstubAllEnvs()
    expect(store.objects()).toHaveLength(1)
  })

  test('how long a store asks to wait is handed on', async () => {
    const store = await startStore()
    store.behave('slow-down')
    await expect(place(store).put(object(), signal)).rejects.toMatchObject({ status: 503, after: 1000 })
  })

  test('a stop ends a wait at once', async () => {
    const store = await startStore()
    store.behave('silent')
    const stop = new AbortController()
    const put = place(store).put(object(), stop.signal)
    setTimeout(() => stop.abort(), 50)
    await expect(put).rejects.toThrow('stopped')
    await expect(place(store).put(object(), stop.signal)).rejects.toThrow('stopped')
  })
})
