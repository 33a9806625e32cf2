// JSON-RPC batches, which only revision 2025-03-26 has: each element is a message of its own, the answers go out together.
import { errorObject } from '../mcp/error-answer.ts'
import type { Json } from '../mcp/json.ts'
import { readMessage, writeErrorObject } from '../mcp/message.ts'
import type { Peer } from '../plugin/index.ts'
import type { Relay } from '../relay/relay.ts'
import type { ReplyChannel, Session } from './session.ts'

export async function runBatch(relay: Relay, session: Session, items: readonly Json[], channel: ReplyChannel, peer: Peer): Promise<void> {
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
      if ('code' in message)
        return void answers.push(writeErrorObject(message.id, errorObject('invalid-request', { text: message.message })))
      if (message.kind === 'batch') return void answers.push(writeErrorObject(null, errorObject('invalid-request')))
      await relay.receive(session, message, collect, peer)
    }),
  )
  channel.reply(answers.length === 0 ? new Uint8Array(0) : joined(answers))
}

function joined(answers: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([...answers.flatMap((answer, i) => [i === 0 ? OPEN : COMMA, answer]), CLOSE])
}

const OPEN = Buffer.from('[')
const COMMA = Buffer.from(',')
const CLOSE = Buffer.from(']')
