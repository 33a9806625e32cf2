// A call for which the user must first authorise the gateway: he is asked to open a link, and to make the call again.
// Spec: 2025-11-25 client/elicitation, "URL Elicitation Required Error"; 2026-07-28 basic/patterns/mrtr.

import type { LiveExchange } from '../exchange.ts'
import { Json } from '../mcp/json.ts'
import { ownerOf } from '../owner.ts'
import type { Answer } from '../plugin/index.ts'
import type { Lane } from '../upstream/lane.ts'
import { mayAsk } from '../upstream/rounds.ts'
import type { Asked } from './asked.ts'
import type { RelayDeps } from './deps.ts'
import { OWN_STATE, showInputRequests, urlsToVisit } from './input-required.ts'
import type { Round } from './rounds-state.ts'
import { openAsk } from './to-client.ts'

const NEVER = new AbortController().signal
const URL_ELICITATION_REQUIRED = -32042

/** `answer`, or in its place what the user is asked. Plugins see the question as any other that goes to a client. */
export async function invite(
  deps: RelayDeps,
  asked: Asked,
  lane: Lane,
  x: LiveExchange,
  round: Round | undefined,
  answer: Answer,
): Promise<Answer> {
  const { session, method, params } = asked
  const { id: server, version } = lane.server
  if (answer.code !== 'upstream-credential' || x.principal === undefined) return answer
  // Whoever has just said no is not asked again.
  if (round?.kind === 'again' && round.state === OWN_STATE && !hasAccepted(params)) return answer
  if (session.capabilities.get('elicitation')?.get('url') === undefined) return answer
  const invitation = await deps.credentials.authorizations?.invite(server, ownerOf(x.principal), x.principal.id)
  if (invitation === undefined) return answer
  const { id, url, host } = invitation
  const message = `Authorise the gateway at ${host} to use the server ${server} in your name; then make the call again.`
  const elicitation = Json.of({ mode: 'url', elicitationId: id, url, message })
  const required = Json.of({ code: URL_ELICITATION_REQUIRED, message: 'the gateway must be authorised first' }).with({
    data: Json.of({}).with({ elicitations: Json.list([elicitation]) }),
  })
  if (session.era === 'modern') {
    const visit = mayAsk(method) ? urlsToVisit({ kind: 'error', payload: required }) : undefined
    if (visit === undefined) return answer
    const shown: Answer = { ...visit, payload: (visit.payload as Json).with({ requestState: Json.of(OWN_STATE) }) }
    return showInputRequests(deps, asked, lane, x, { session, server, version, method, params }, shown)
  }
  const opened = await openAsk(deps, session, lane, { method: 'elicitation/create', params: elicitation, signal: NEVER }, { x })
  if ('answer' in opened) return answer
  opened.leave()
  return { kind: 'error', payload: required, code: 'upstream-credential' }
}

function hasAccepted(params: Json): boolean {
  const responses = params.get('inputResponses')
  const keys = responses?.type === 'object' ? responses.keys() : []
  return keys.length > 0 && keys.every(key => responses!.get(key)?.string('action') === 'accept')
}
