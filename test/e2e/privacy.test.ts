// Erasure in the built product, with a gateway that runs all the while: afterwards the person is in no file, no database, no export made after, and no log.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import { closeAfterEach } from '../core/data-plane/opened.ts'
import { createDatabase, server as postgres } from '../postgres/server.ts'
import { createFolder, isBuilt, runCli, startProduct } from './product.ts'
import { openRecords } from './records.ts'
import { codeOf, openSession } from './rpc.ts'

const opened = closeAfterEach()
const POLICY = `policy "desk" edition 1
allow tools {
  who  role support
  call up/*
}
deny no-exfil {
  call    up/send
  after   call up/read within 30m
  because "seen secrets"
}
`

describe.skipIf(!isBuilt)('a person who is erased', () => {
  test.each([
    ['a file', false],
    ['PostgreSQL', true],
  ] as const)(
    'is in nothing that is left, with the log in %s, and may come back as somebody new',
    async (_where, isPostgres) => {
      if (isPostgres && postgres === undefined) return
      const tools = ['read', 'send'].map(name => `{"name":"${name}","inputSchema":{"type":"object"}}`)
      const upstream = await startHttpUpstream({
        capabilities: '{"tools":{}}',
        tools,
        on: { 'tools/call': received => received.result('{"content":[]}') },
      })
      opened(upstream)
      const dir = createFolder({ 'a.policy': POLICY })
      const config = {
        servers: [{ id: 'up', url: upstream.url }],
        plugins: [{ audit: { anchors: [{ file: 'anchor.txt' }] } }, 'auth', 'policy', 'meter'],
        policies: ['a.policy'],
        ...(isPostgres && { store: { url: await createDatabase() } }),
      }
      writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(config))
      const run = (...words: string[]): string => {
        const { code, out, err } = runCli(words, dir)
        expect([0, 4], `${words.join(' ')}\n${out}${err}`).toContain(code)
        return out
      }
      /** All that is written anywhere, by where. */
      const texts = (): [string, string][] =>
        readdirSync(dir, { recursive: true, encoding: 'utf8' })
          .map(file => join(dir, file))
          .filter(path => statSync(path).isFile())
          .map(path => [path, readFileSync(path, 'latin1')])
      const [id, name] = ['patricia.q.person', 'Patricia Person']
      const key = run('keys', 'create', name, id, 'support').trim()
      const other = run('keys', 'create', 'Somebody', 'somebody', 'support').trim()
      const product = await startProduct({ dir })
      const session = await openSession(product.origin, ['authorization', `Bearer ${key}`], `laptop of ${name} ${id}`)
      const beside = await openSession(product.origin, ['authorization', `Bearer ${other}`])
      expect(codeOf(await session.call('up__read', { path: `/home/${id}` }))).toBeUndefined()
      expect(codeOf(await beside.call('up__read'))).toBeUndefined()
      expect(codeOf(await session.call('up__send'))).toBe('denied')
      run('audit', 'log', '--consumer', id)

      const ask = () => JSON.parse(run('privacy', 'export', '--subject', id)) as { plugins: Record<string, unknown>; records: unknown[] }
      let mine = ask()
      // The meter writes each second.
      for (let n = 0; n < 20 && !('meter' in mine.plugins); n++) mine = ask()
      expect(Object.keys(mine.plugins).sort()).toEqual(['auth', 'meter', 'policy'])
      expect(JSON.stringify(mine.records)).toContain(`/home/${id}`)
      const sealed: string[] = []
      if (!isPostgres) {
        const db = openRecords(join(dir, '.mcpgw'))
        const { pseudonyms } = mine as unknown as { pseudonyms: { subject: string }[] }
        for (const { subject } of pseudonyms) {
          const row = db.prepare('SELECT key, who FROM subject WHERE id = ?').get(subject)!
          sealed.push(String(row.key), String(row.who))
        }
        db.close()
        expect(sealed).toHaveLength(2)
      }

      run('privacy', 'erase', '--subject', id, '--reason', 'request 1', '--yes')
      // The session went with the key.
      expect(codeOf(await session.call('up__read'))).toBe('session-unknown')
      expect(codeOf(await beside.call('up__read'))).toBeUndefined()
      const after =
        run('audit', 'export') + run('audit', 'export', '--format', 'csv', '--contents') + run('audit', 'log', '--all', '--json')
      const gone = [id, name, ...sealed]
      for (const [where, text] of [...texts(), ['stderr', product.said()], ['exports', after]] as const)
        expect(
          gone.filter(word => text.includes(word)),
          where,
        ).toEqual([])
      expect(JSON.parse(run('privacy', 'export', '--subject', id))).toMatchObject({ pseudonyms: [], plugins: {}, records: [] })

      const again = run('keys', 'create', 'Again', id, 'support').trim()
      const comeBack = () => openSession(product.origin, ['authorization', `Bearer ${again}`])
      // A gateway knows a new key within a second.
      await expect
        .poll(
          () =>
            comeBack().then(
              () => true,
              () => false,
            ),
          { timeout: 10_000 },
        )
        .toBe(true)
      expect(codeOf(await (await comeBack()).call('up__read'))).toBeUndefined()
      const anew = JSON.parse(run('privacy', 'export', '--subject', id)) as { pseudonyms: unknown[]; records: unknown[] }
      expect(anew.pseudonyms.length).toBeGreaterThan(0)
      expect(JSON.stringify(anew.records)).not.toContain('/home/')
      await product.stop()
      expect(run('audit', 'verify', '--checkpoint', '.mcpgw/anchor.txt')).toMatch(/^PROVEN/)
      expect(run('audit', 'drill')).toContain('12 of 12 found')
    },
    120_000,
  )
})
