// JSON-RPC batches, which only revision 2025-03-26 has: each element is a message of its own, the answers go out together.
import { errors } from '../errors.ts'
import { errorObject } from '../mcp/error-answer.ts'
import type { Json } from '../mcp/json.ts'
import { readMessage, writeErrorObject } from '../mcp/message.ts'
import type { Pipeline } from '../pipeline.ts'
import type { Peer } from '../plugin/index.ts'
import type { Relay } from '../relay/relay.ts'
import { BY_GATEWAY } from './refusing.ts'
import type { ReplyChannel, Session } from './session.ts'

export async function runBatch(
  relay: Relay,
  session: Session,
  items: readonly Json[],
  channel: ReplyChannel,
  peer: Peer,
  pipeline: Pick<Pipeline, 'refused'>,
): Promise<void> {
  const answers: Uint8Array[] = []
  const collect: ReplyChannel = {
    get open() {
      return channel.open
    },
    get away() {
      return channel.away === true
    },
    send: message => channel.send(message),
    reply: message => {
      if (message.length > 0) answers.push(message)
    },
  }
  await Promise.all(
    items.map(async item => {
      const message = readMessage(item, 'downstream')
      if ('code' in message || message.kind === 'batch') {
        const { id, text } = 'code' in message ? { id: message.id, text: message.message } : { id: null, text: NESTED }
        const { transport, ip } = peer
        pipeline.refused({ code: 'invalid-request', reason: errors['invalid-request'].text, by: BY_GATEWAY, transport, ip })
        return void answers.push(writeErrorObject(id, errorObject('invalid-request', { text })))
      }
      await relay.receive(session, message, collect, peer)
    }),
  )
  channel.reply(answers.length === 0 ? new Uint8Array(0) : joined(answers))
}

function joined(answers: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([...answers.flatMap((answer, i) => [i === 0 ? OPEN : COMMA, answer]), CLOSE])
}

const NESTED = 'a batch inside of a batch'
const OPEN = Buffer.from('[')
const COMMA = Buffer.from(',')
const CLOSE = Buffer.from(']')
