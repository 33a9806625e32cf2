// Why another gateway does not take our signature, in its own one word, and what that means for operators here.

const NAME = 'mcpgw-caller'
const MEANINGS: Readonly<Record<string, string>> = {
  unknown: 'it does not know this gateway under that name, or has another public key of it',
  audience: 'what is signed names another gateway than it takes itself for: set "audience" to one of its own',
  expired: 'what is signed is too old for it: the clocks may differ',
  future: 'what is signed is of the future for it: the clocks may differ',
  restarted: 'it was signed before the other gateway started',
  replayed: 'it was asked the same before: something between the two gateways sends requests twice',
  changed: 'the request is not what was signed: something between the two gateways changes method, path or body',
  tenant: 'this gateway may not speak there for callers of that tenant',
  loop: 'the call would go in a circle, or through too many gateways',
  subject: 'it does not take what is said of the caller',
}
/** Words that say nothing of the gateway, but of the one for whom it asks. */
export const OF_ONE_CALLER: ReadonlySet<string> = new Set(['tenant', 'loop', 'subject', 'restarted', 'replayed'])

/** `challenge`: the value of `WWW-Authenticate`. Nothing of it is shown but what this page knows. */
export function readRefusal(challenge: string | undefined): { readonly word: string; readonly why: string } {
  const word = new RegExp(`^${NAME} error="([a-z]{1,16})"$`).exec(challenge ?? '')?.[1] ?? ''
  const meaning = Object.hasOwn(MEANINGS, word) ? MEANINGS[word] : undefined
  if (meaning === undefined) return { word: '', why: 'the server refuses the signature of this gateway (HTTP 401)' }
  return { word, why: `the other gateway refuses the signature (${word}): ${meaning}` }
}
