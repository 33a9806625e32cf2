// An object store that fails in every way while the gateway is killed again and again: every record lies there, none is overwritten; no call notices.
// MCPGW_CHAOS=full runs 100 rounds.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt } from '../e2e/product.ts'
import { oddServer } from '../e2e/servers.ts'
import { ACCESS, type Behaviour, BUCKET, REGION, type StoredObject, startStore } from '../s3/fake.ts'
import { answerUntilKilled, endInPeace, pick, ROUNDS } from './exporting.ts'

const MINUTES = 60_000
const BEHAVIOURS: readonly Behaviour[] = [
  ...(['good', 'good', 'good', 'good', 'error', 'slow-down', 'conflict', 'silent', 'cut', 'html', 'nonsense'] as const),
  ...(['stored-cut', 'stored-error', 'stored-late', 'truncated'] as const),
]

describe.skipIf(!isBuilt)('an export to an object store that fails, from a gateway that is killed', () => {
  test(
    'puts every record there at least once, and never changes what is there; what is there is locked',
    async () => {
      const dir = createFolder()
      const store = await startStore()
      const settings = { region: REGION, endpoint: store.url, pathStyle: true, timeout: 300, ...ACCESS }
      const objectLock = { mode: 'compliance', days: 1 }
      const audit = {
        exports: [{ s3: `s3://${BUCKET}/logs`, every: '1s', ...settings, objectLock }],
        anchors: [{ s3: `s3://${BUCKET}/anchors`, ...settings, objectLock }, { file: `${dir}/anchor.txt` }],
        checkpoints: { records: 20, every: '1s' },
      }
      const config = { servers: [{ id: 'odd', ...oddServer() }], plugins: [{ audit }] }
      const answered: string[] = []
      const seen = new Map<string, string>()
      for (let round = 1; round <= ROUNDS; round++) {
        store.behave(() => pick(BEHAVIOURS))
        answered.push(...(await answerUntilKilled(dir, config, `round${round}`)))
        for (const [key, digest] of seen) expect(digestOf(store.objects().find(one => one.key === key)!)).toBe(digest)
        for (const object of store.objects()) seen.set(object.key, digestOf(object))
      }
      store.behave('good')
      const written = await endInPeace(dir, config, answered)
      const logs = store.objects().filter(({ key }) => key.startsWith('logs/'))
      const ids = new Set(logs.flatMap(idsIn))
      expect(written.filter(({ stream, seq }) => !ids.has(`${stream}:${seq}`))).toEqual([])
      for (const object of logs) expect(object.key).toContain(`-${digestOf(object).slice(0, 32)}.jsonl`)
      expect(store.objects().every(({ lock }) => lock?.mode === 'COMPLIANCE')).toBe(true)
      expect(store.objects().some(({ key }) => key.startsWith('anchors/'))).toBe(true)
      expect(store.versions()).toBe(store.objects().length)
      expect(store.forgeries).toEqual([])
    },
    10 * MINUTES,
  )
})

const digestOf = ({ body }: StoredObject): string => createHash('sha256').update(body).digest('hex')
const idsIn = ({ body }: StoredObject): string[] =>
  body
    .toString()
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { id: string }).id)
