// `mcpgw/policy` in a browser: the built library, bundled for a module worker of Chromium, says there word for word what it says in Node.
// Without Chromium it is skipped, but in CI that is a failure.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { root } from '../packed-project.ts'
import { bundlePage } from './browser/bundle-page.ts'
import { hasChromium, withPage } from './browser/chromium.ts'
import { type Done, type Library, type Work, work } from './browser/policy-work.ts'
import type { Answer } from './browser/policy-worker.ts'
import { isBuilt } from './product.ts'

const built = join(root, 'dist/dsl/index.js')
const example = join(root, 'examples/team-policy')
const read = (file: string): string => readFileSync(join(example, file), 'utf8')
const lead = { id: 'l1', tenant: 'acme', roles: ['support-lead'] }
const support = { id: 'a1', tenant: 'acme', roles: ['support'], claims: { customer_id: 'c-1' } }

const given: Work = {
  now: '2026-11-21T10:00:00Z',
  bundle: readdirSync(join(example, 'policies')).map(name => ({ file: `policies/${name}`, text: read(`policies/${name}`) })),
  lock: read('mcpgw.lock.json'),
  drafts: [
    { file: 'slip.policy', text: 'policy "slip" edition 1\n# \u{1f512} é\nallow a {\n  who any\n  call crm/get_custmer\n}\n' },
    {
      file: 'types.policy',
      text: 'policy "t" edition 1\nallow a {\n  who any\n  call crm/get_customer\n  when { args.customer_id > 3 }\n}\n',
    },
    { file: 'broken.policy', text: 'policy "b" edition 1\nallow a {\n  who any\n  cal crm/get_customer\n' },
    { file: 'untidy.policy', text: 'policy   "u"  edition 1\nallow a { who any call crm/get_customer } # kept' },
  ],
  calls: [
    { principal: support, call: 'crm/get_customer', args: { customer_id: 'c-1' } },
    { principal: support, call: 'crm/get_customer', args: { customer_id: 'c-2' } },
    { principal: lead, call: 'crm/create_refund', args: { customer_id: 'c-1', amount: 20.5, currency: 'EUR' } },
    { principal: lead, call: 'crm/create_refund', args: { customer_id: 'c-1', amount: 20, currency: 'GBP' } },
    { principal: lead, call: 'crm/export_contacts', args: { page_size: 5000 } },
    { principal: support, read: 'docs/file:///hr/%73alaries.md' },
  ].map(call => JSON.stringify(call)),
}

/** The page in Chromium, served on loopback from `dir` under a policy that forbids `eval`: what its worker posts. */
async function askBrowser(dir: string): Promise<Answer> {
  const server = createServer()
  const answered = new Promise<Answer>((resolve, reject) => {
    server.on('request', (request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
      response.setHeader('content-security-policy', "default-src 'self'")
      if (pathname === '/answer') {
        text(request).then(body => resolve(JSON.parse(body) as Answer), reject)
        return void response.end()
      }
      if (pathname === '/work') return void response.end(JSON.stringify(given))
      const file = pathname === '/' ? 'index.html' : pathname.slice(1)
      if (!readdirSync(dir, { recursive: true, encoding: 'utf8' }).includes(file)) return void response.writeHead(404).end()
      response.setHeader('content-type', file.endsWith('.html') ? 'text/html' : 'text/javascript')
      response.end(readFileSync(join(dir, file)))
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  try {
    return await withPage(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, answered)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const canRun = isBuilt && hasChromium
if (!canRun) console.warn('skipped: `mcpgw/policy` in a browser worker needs a build, and Chromium (of the system, or named by CHROMIUM)')

test.runIf(process.env.CI !== undefined)('CI has a build and Chromium', () => expect(canRun).toBe(true))

describe.skipIf(!canRun)('mcpgw/policy in a module worker of Chromium', () => {
  let modules: readonly string[]
  let answer: Answer
  let inBrowser: Done
  let inNode: Done
  beforeAll(async () => {
    inNode = work((await import(pathToFileURL(built).href)) as Library, given)
    const dir = mkdtempSync(join(tmpdir(), 'mcpgw-page-'))
    try {
      modules = await bundlePage(dir)
      answer = await askBrowser(dir)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
    if (answer.done === undefined) throw new Error(answer.error)
    inBrowser = answer.done
  }, 120_000)

  test('is the built library, in a worker, with nothing of Node', () => {
    expect(modules).toContain(built)
    expect(modules.filter(id => id.startsWith(join(root, 'dsl')))).toEqual([])
    expect(answer).toMatchObject({ scope: 'DedicatedWorkerGlobalScope', hasNode: false })
  })

  test('decides and explains as in Node', () => {
    expect(inBrowser.decisions).toEqual(inNode.decisions)
    expect(inBrowser.explanations).toEqual(inNode.explanations)
    expect(inBrowser.decisions.map(({ outcome }) => outcome)).toEqual(['allow', 'deny', 'allow', 'deny', 'allow', 'deny'])
  })

  test('runs the tests of the bundle as in Node, and they hold', () => {
    expect(inBrowser.tests).toEqual(inNode.tests)
    expect(inBrowser.tests.results.length).toBeGreaterThan(10)
    expect(inBrowser.tests.results.filter(one => one.failure !== undefined)).toEqual([])
  })

  test('finds the same mistakes at the same places, and reports them in the same words', () => {
    expect(inBrowser.diagnostics).toEqual(inNode.diagnostics)
    expect(inBrowser.ofDrafts).toEqual(inNode.ofDrafts)
    expect(inBrowser.reports).toEqual(inNode.reports)
    expect(inBrowser.ofDrafts.map(found => found.map(({ code }) => code))).toEqual([
      ['unknown-tool'],
      ['cel-type'],
      ['syntax'],
      ['style', 'not-covered'],
    ])
  })

  test('formats to the same text', () => {
    expect(inBrowser.formatted).toEqual(inNode.formatted)
    expect(inBrowser.formatted.slice(0, given.bundle.length).map(one => one.text)).toEqual(given.bundle.map(one => one.text))
    expect(inBrowser.formatted.at(-1)?.text).toContain('# kept')
  })
})
