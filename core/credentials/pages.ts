// The few pages that a user sees who authorises the gateway: plain, without scripts, and in no frame.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { About, Authorizations, Step } from './authorizations.ts'

const START = '/credentials/start'
const CALLBACK = '/credentials/callback'
/** `__Host-`: set by this host over https, and sent to no other. */
const COOKIE = '__Host-mcpgw-authorize'
const MAX_QUERY = 8192

/** False where the path is none of these. */
export function servePages(
  authorizations: Authorizations | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): boolean {
  if (authorizations === undefined || (path !== START && path !== CALLBACK)) return false
  const text = request.url ?? ''
  const at = text.indexOf('?')
  const query = new URLSearchParams(at < 0 || text.length > MAX_QUERY ? '' : text.slice(at + 1))
  const cookie = readCookie(request.headers.cookie)
  if (request.method !== 'GET') return false
  const step = path === START ? start(authorizations, query, cookie) : authorizations.back(query, cookie)
  void step.then(
    found => write(response, found),
    () => response.destroy(),
  )
  return true
}

function start(authorizations: Authorizations, query: URLSearchParams, cookie: string | undefined): Promise<Step> {
  const id = query.get('request') ?? ''
  const word = query.get('confirm')
  return word === null ? authorizations.show(id) : authorizations.confirm(id, word, cookie)
}

function readCookie(header = ''): string | undefined {
  const found = header.split(';').flatMap(part => {
    const [name, value] = part.trim().split('=', 2)
    return name === COOKIE && value !== undefined ? [value] : []
  })
  return found.length === 1 ? found[0] : undefined
}

function write(response: ServerResponse, step: Step): void {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    // No form-action: it would also hold for where the form leads in the end, which is the authorization server.
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  }
  if (step.kind === 'leave') return void response.writeHead(303, { ...headers, location: step.url }).end()
  const isOver = step.kind !== 'confirm'
  const cookie = `${COOKIE}=${isOver ? '' : step.cookie}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${isOver ? 0 : 600}`
  // A stranger's link must not take the cookie of a visit that is under way.
  const set = step.kind === 'refused' ? {} : { 'set-cookie': cookie }
  response.writeHead(step.kind === 'refused' ? 400 : 200, { ...headers, ...set }).end(page(step))
}

function page(step: Exclude<Step, { kind: 'leave' }>): string {
  switch (step.kind) {
    case 'confirm':
      return html('Authorise the gateway', confirmation(step.id, step.word, step.about))
    case 'done':
      return html(
        'Authorised',
        `<p><b>${escapeHtml(step.about.host)}</b> has authorised this gateway to use the server <b>${escapeHtml(step.about.server)}</b> for
<b>${escapeHtml(step.about.principal)}</b>, and for nobody else.</p><p>You may close this page and make the call again.</p>`,
      )
    case 'refused':
      return html('Not authorised', `<p>${escapeHtml(step.why)}</p>`)
  }
}

function confirmation(id: string, word: string, { server, principal, host }: About): string {
  return `<p>This gateway is about to send you to <b>${escapeHtml(host)}</b>. What you allow there, calls of <b>${escapeHtml(principal)}</b> to the
server <b>${escapeHtml(server)}</b> will do <b>in your name</b>.</p>
<p>Go on only if <b>${escapeHtml(principal)}</b> is you, and you have just made such a call yourself. If somebody sent you this link, close this page.</p>
<form method="get" action="start"><input type="hidden" name="request" value="${escapeHtml(id)}"><input type="hidden" name="confirm"
value="${escapeHtml(word)}"><button>I am ${escapeHtml(principal)}: go to ${escapeHtml(host)}</button></form>`
}

function html(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body{font:1rem/1.5 sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}</style></head>
<body><h1>${title}</h1>${body}</body></html>
`
}

function escapeHtml(text: string): string {
  // Nothing that turns direction or hides: what is read is what is there.
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '?').replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}
