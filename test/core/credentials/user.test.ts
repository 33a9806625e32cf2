// Users who authorise the gateway themselves: how they are asked, whose token is shown, and that a link in wrong hands gives nothing away.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createUserTokens } from '../../../core/credentials/user-tokens.ts'
import { allow, deny } from '../../../core/plugin/index.ts'
import { createStores } from '../../../core/store/index.ts'
import type { HttpClient } from '../data-plane/clients.ts'
import { plugin } from '../data-plane/gateway.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen } from '../data-plane/script.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'
import { type Browser, GATEWAY, openBrowser, startUserAuthority, startUsers, type UserAuthority } from './user-setting.ts'

const opened = closeAfterEach()
const call = (client: HttpClient, name = 'crm__echo') => client.ask('tools/call', { name })

/** The link that a call without a token is answered with. */
async function linkOf(client: HttpClient): Promise<string> {
  await client.ask('tools/list')
  const { error } = await call(client, 'crm__authorize')
  expect(error.code).toBe(-32042)
  const [{ mode, url, elicitationId, message }] = error.data.elicitations
  expect([mode, typeof elicitationId, message]).toEqual(['url', 'string', expect.stringContaining('in your name')])
  return url
}

async function authorise(browser: Browser, link: string, from: UserAuthority, user: string) {
  const confirm = await browser.get(link)
  const left = await browser.submit(confirm)
  expect(left.status).toBe(303)
  return browser.get(from.allow(left.location, user))
}

it('a user is asked once, and from then on his calls, and nobody else’s, are shown to the server with his token', async () => {
  const from = await startUserAuthority(opened)
  const { upstream, gateway, health, connect } = await startUsers(opened, from)
  const [ann, bob] = [await connect('ann'), await connect('bob')]
  expect((await ann.ask('tools/list')).result.tools.map(({ name }: { name: string }) => name)).toEqual(['crm__authorize'])
  const link = await linkOf(ann)
  expect(link).toMatch(/^https:\/\/gw\.example\/credentials\/start\?request=[\w-]{43}$/)
  expect(upstream.requests).toEqual([])

  const browser = openBrowser(gateway)
  const confirm = await browser.get(link)
  expect(confirm.text).toContain('<b>ann</b>')
  expect(confirm.text).toContain(new URL(from.authority.url).host)
  expect(confirm.headers['content-security-policy']).toContain("frame-ancestors 'none'")
  expect(String(confirm.headers['set-cookie'])).toMatch(/^__Host-mcpgw-authorize=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax/)
  const left = await browser.submit(confirm)
  const done = await browser.get(from.allow(left.location, 'ann at crm'))
  expect(done.text).toContain(`<b>${new URL(from.authority.url).host}</b> has authorised this gateway`)

  expect((await ann.ask('tools/list')).result.tools.map(({ name }: { name: string }) => name)).toEqual(['crm__echo'])
  expect(await call(ann)).toHaveProperty('result')
  expect(upstream.of('tools/call').map(({ headers }) => from.issued.get(String(headers.authorization).replace('Bearer ', '')))).toEqual([
    'ann at crm',
  ])
  expect((await bob.ask('tools/list')).result.tools.map(({ name }: { name: string }) => name)).toEqual(['crm__authorize'])
  await linkOf(bob)
  expect(upstream.of('tools/call').length).toBe(1)
  for (const { rawHeaders } of upstream.requests) expect(rawHeaders.filter(value => value === 'ann' || value === 'bob')).toEqual([])

  expect(gateway.events.filter(({ type }) => type.startsWith('credential.')).map(({ type, about }) => [type, about?.id])).toEqual([
    ['credential.authorized', 'ann'],
    ['credential.obtained', 'ann'],
  ])
  expect(health.status).toBe('ok')
  const shown = JSON.stringify([gateway.events, gateway.logged])
  for (const secret of [...from.issued.keys(), ...from.refreshes.keys()]) expect(shown).not.toContain(secret)
})

it('what is under way with a token that is taken back ends, though the server would go on, and nothing that goes on with the token of another', async () => {
  const from = await startUserAuthority(opened)
  const { upstream, gateway, health, connect } = await startUsers(opened, from, { on: { 'tools/call': leaveOpen } })
  const [ann, bob] = [await connect('ann'), await connect('bob')]
  for (const [client, user] of [
    [ann, 'ann'],
    [bob, 'bob'],
  ] as const) {
    await authorise(openBrowser(gateway), await linkOf(client), from, user)
    await client.ask('tools/list')
  }
  const calls = [call(ann), call(bob)] as const
  await expect.poll(() => upstream.of('tools/call').length).toBe(2)
  const tokens = opened(createUserTokens(createStores({ dataDir: gateway.dir })))
  expect(await tokens.erase({ id: 'ann', tenant: undefined })).toBe(1)
  expect((await calls[0]).error.data.mcpgw.code).toBe('upstream-crashed')
  expect(health.status).toBe('ok')
  let isBobEnded = false
  void calls[1].then(() => {
    isBobEnded = true
  })
  // His next call finds that there is no token any more, and Bob's is still where it was.
  expect((await ann.ask('tools/list')).result.tools.map(({ name }: { name: string }) => name)).toEqual(['crm__authorize'])
  expect([isBobEnded, upstream.of('tools/call').length]).toEqual([false, 2])
})

it('what a user gives is for him as one method or issuer vouches for him, and for nobody else of the same id', async () => {
  const from = await startUserAuthority(opened)
  const { upstream, gateway, connect } = await startUsers(opened, from)
  const ann = await connect('ann|jwt|https://login.example')
  const browser = openBrowser(gateway)
  await authorise(browser, await linkOf(ann), from, 'ann at crm')
  await ann.ask('tools/list')
  expect(await call(ann)).toHaveProperty('result')
  const reached = upstream.requests.length
  for (const who of ['ann|api-key', 'ann|certificate', 'ann|jwt|https://other.example', 'ann']) await linkOf(await connect(who))
  expect(upstream.requests.length).toBe(reached)
})

it('a stateless client is asked in an answer, and makes the call again with what it says', async () => {
  for (const isModern of [false, true]) {
    const from = await startUserAuthority(opened)
    const { gateway, upstream } = await startUsers(opened, from, { isModern })
    const ann = visitHttp(gateway, { headers: { authorization: 'ann' }, capabilities: '{"elicitation":{"url":{}}}' })
    const asked = await ann.ask('tools/call', { name: 'crm__authorize' })
    expect(asked.result.resultType).toBe('input_required')
    const [[key, { method, params }]] = Object.entries<{ method: string; params: { mode: string; url: string } }>(
      asked.result.inputRequests,
    ) as [[string, { method: string; params: { mode: string; url: string } }]]
    expect([method, params.mode]).toEqual(['elicitation/create', 'url'])
    const again = (action: string, name: string) =>
      ann.ask('tools/call', { name, requestState: asked.result.requestState, inputResponses: { [key]: { action } } })
    expect((await again('decline', 'crm__authorize')).error.data.mcpgw.code).toBe('upstream-credential')
    await authorise(openBrowser(gateway), params.url, from, 'ann at crm')
    await ann.ask('tools/list')
    expect(await ann.ask('tools/call', { name: 'crm__echo' })).toHaveProperty('result.content')
    // What the gateway asked of its own is no server's business.
    expect(upstream.seen.map(({ text }) => text).join()).not.toMatch(/inputResponses|requestState|credentials\/start/)
  }
})

it('a client that cannot open links, or whose question a rule refuses, is told that a credential is missing, and given no link', async () => {
  const from = await startUserAuthority(opened)
  const refusing = plugin('rules', ['decides'], {
    onRequest: ({ action, direction }) =>
      direction === 'to-client' && action === 'elicitation/create' ? deny('denied', 'no') : allow(['rule']),
  })
  const { connect } = await startUsers(opened, from, { plugins: [refusing] })
  const ann = await connect('ann')
  await ann.ask('tools/list')
  const answer = await call(ann, 'crm__authorize')
  expect([answer.error.data.mcpgw.code, JSON.stringify(answer)]).toEqual(['upstream-credential', expect.not.stringContaining('https://')])
})

it('a link opened a second time, or confirmed by another browser, leads nowhere', async () => {
  const from = await startUserAuthority(opened)
  const { gateway, connect } = await startUsers(opened, from)
  const link = await linkOf(await connect('ann'))
  const [first, second] = [openBrowser(gateway), openBrowser(gateway)]
  const confirm = await first.get(link)
  expect((await second.get(link)).status).toBe(400)
  expect((await second.submit(confirm)).status).toBe(400)
  expect((await openBrowser(gateway).submit(confirm)).status).toBe(400)
  // No link can confirm: what confirms stands on the page alone.
  expect((await first.get(`${link}&confirm=guessed`)).status).toBe(400)
  // The one that began goes on all the same, once.
  const left = await first.submit(confirm)
  expect(left.status).toBe(303)
  expect((await first.submit(confirm)).status).toBe(400)
  expect((await first.get(`${GATEWAY}/credentials/start?request=unknown`)).status).toBe(400)
})

it('whoever is sent a link back by somebody else gives nothing away: the browser that ends is the one that began, and a state is good once', async () => {
  const from = await startUserAuthority(opened)
  const { gateway, connect, upstream } = await startUsers(opened, from)
  const link = await linkOf(await connect('mallory'))
  const [mallory, victim] = [openBrowser(gateway), openBrowser(gateway)]
  const left = await mallory.submit(await mallory.get(link))
  // The victim is lured to the authorization server, allows, and comes back with another browser.
  const back = from.allow(left.location, 'victim at crm')
  expect((await victim.get(back)).status).toBe(400)
  expect(from.authority.asked).toEqual([])
  // Nor does a cookie of a visit of his own help.
  const own = await linkOf(await connect('victim'))
  await victim.submit(await victim.get(own))
  expect((await victim.get(back)).status).toBe(400)
  expect([from.authority.asked, upstream.requests]).toEqual([[], []])
  expect((await mallory.get(back)).status).toBe(200)
  expect((await mallory.get(back)).status).toBe(400)
})

it('an answer of another issuer, with two of a parameter, without a code or with an error, ends the visit without a token', async () => {
  const from = await startUserAuthority(opened)
  const { gateway, connect } = await startUsers(opened, from)
  const ann = await connect('ann')
  const spoils: ((back: URL) => void)[] = [
    back => back.searchParams.set('iss', 'https://evil.example'),
    back => back.searchParams.delete('iss'),
    back => back.searchParams.append('iss', 'https://evil.example'),
    back => back.searchParams.append('code', 'other'),
    back => back.searchParams.delete('code'),
    back => back.searchParams.set('error', 'access_denied'),
    back => back.searchParams.set('error', '<script>alert(1)</script>'),
    back => back.searchParams.set('code', 'code-of-nobody'),
  ]
  for (const spoil of spoils) {
    const browser = openBrowser(gateway)
    const left = await browser.submit(await browser.get(await linkOf(ann)))
    const back = new URL(from.allow(left.location, 'ann at crm'))
    spoil(back)
    const page = await browser.get(back.href)
    expect([page.status, page.text]).toEqual([400, expect.not.stringContaining('<script>')])
    expect((await browser.get(back.href)).text).toContain('was used before')
  }
  expect(from.issued.size).toBe(0)
})

it('what a browser is shown of a name is text, whatever the name', async () => {
  const from = await startUserAuthority(opened)
  const { gateway, connect } = await startUsers(opened, from)
  const name = `"><img src=x onerror=alert(1)>'&`
  const page = await openBrowser(gateway).get(await linkOf(await connect(name)))
  expect(page.text).not.toMatch(/<img|onerror=alert\(1\)>/)
  expect(page.text).toContain('&#34;&#62;&#60;img')
})

it('tokens lie encrypted on disk, together with nobody’s name', async () => {
  const from = await startUserAuthority(opened)
  const { gateway, connect } = await startUsers(opened, from)
  await authorise(openBrowser(gateway), await linkOf(await connect('ann-of-accounting')), from, 'ann at crm')
  const files = ['credentials.db', 'credentials.db-wal'].map(file => readFileSync(join(gateway.dir, file), 'latin1')).join('')
  expect(files).toContain('user_tokens')
  for (const secret of [...from.issued.keys(), ...from.refreshes.keys(), 'ann-of-accounting', 'refresh'])
    expect(files).not.toContain(secret)
})
