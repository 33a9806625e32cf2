// The one error table: every code that a caller, a log or a record may show, and what each means on every channel.

/** What a code is on each channel. `rpc` is the JSON-RPC error number, `http` the status where one is set. */
export interface ErrorEntry {
  readonly rpc: number
  readonly http: number
  /** Status on the REST routes, where it is another: there is no envelope that would say more. */
  readonly rest?: number
  /** Public text; says nothing of the inside. */
  readonly text: string
  /** What to do about it, for `mcpgw explain CODE`. */
  readonly help: string
}

export type ErrorCode =
  | 'parse-error'
  | 'invalid-request'
  | 'batch-refused'
  | 'method-not-found'
  | 'invalid-params'
  | 'invalid-arguments'
  | 'unknown-tool'
  | 'unknown-prompt'
  | 'unknown-resource'
  | 'too-large'
  | 'too-deep'
  | 'media-type'
  | 'not-acceptable'
  | 'session-unknown'
  | 'session-missing'
  | 'too-many-sessions'
  | 'stream-unknown'
  | 'not-found'
  | 'method-not-allowed'
  | 'header-mismatch'
  | 'missing-capability'
  | 'unsupported-version'
  | 'forbidden-host'
  | 'forbidden-address'
  | 'insufficient-scope'
  | 'unauthenticated'
  | 'bad-credential'
  | 'many-credentials'
  | 'bad-signature'
  | 'too-many-failures'
  | 'denied'
  | 'rate-limited'
  | 'budget-exceeded'
  | 'unmet-obligation'
  | 'approval-pending'
  | 'approval-rejected'
  | 'withheld'
  | 'redaction-blocked'
  | 'redaction-limit'
  | 'plugin-failed'
  | 'not-recorded'
  | 'upstream-unavailable'
  | 'upstream-crashed'
  | 'upstream-timeout'
  | 'upstream-garbage'
  | 'upstream-busy'
  | 'upstream-credential'
  | 'client-gone'
  | 'client-cannot'
  | 'cancelled'
  | 'credential-ended'
  | 'killed'
  | 'overloaded'
  | 'stopping'
  | 'internal'

// Own numbers lie outside -32768..-32000, which JSON-RPC and MCP keep for themselves.
export const errors: Readonly<Record<ErrorCode, ErrorEntry>> = {
  // JSON-RPC and transport
  'parse-error': {
    rpc: -32700,
    http: 400,
    text: 'the message is not strict JSON',
    help: 'Send one UTF-8 JSON value without duplicate keys. The log names the byte offset.',
  },
  'invalid-request': {
    rpc: -32600,
    http: 400,
    text: 'the message is not a valid JSON-RPC request',
    help: 'Check jsonrpc, id, method and params against JSON-RPC 2.0; keys are case-sensitive.',
  },
  'batch-refused': {
    rpc: -32600,
    http: 400,
    text: 'batches exist only in revision 2025-03-26',
    help: 'Send one message per request.',
  },
  'method-not-found': {
    rpc: -32601,
    http: 200,
    rest: 404,
    text: 'method not found',
    help: 'No server behind the gateway offers this method.',
  },
  'invalid-params': {
    rpc: -32602,
    http: 200,
    rest: 400,
    text: 'invalid params',
    help: 'The params do not fit the method; the log names the field.',
  },
  'invalid-arguments': {
    rpc: -32602,
    http: 200,
    rest: 400,
    text: 'the arguments do not fit the tool',
    help: "The arguments do not fit the tool's inputSchema, or that schema cannot be used: it leads elsewhere, or has a pattern that is not RE2. The message names the place.",
  },
  'unknown-tool': {
    rpc: -32602,
    http: 200,
    rest: 404,
    text: 'unknown tool',
    help: 'The tool does not exist or is not visible to this principal. `mcpgw tools list` shows what is.',
  },
  'unknown-prompt': {
    rpc: -32602,
    http: 200,
    rest: 404,
    text: 'unknown prompt',
    help: 'The prompt does not exist or is not visible to this principal.',
  },
  'unknown-resource': {
    rpc: -32002,
    http: 200,
    rest: 404,
    text: 'resource not found',
    help: 'No server offers this uri, or it is not visible to this principal.',
  },
  'too-large': {
    rpc: 42013,
    http: 413,
    text: 'the message is larger than the limit',
    help: 'Raise limits.messageBytes, or send less.',
  },
  'too-deep': {
    rpc: 42014,
    http: 400,
    text: 'the message is nested deeper than the limit',
    help: 'Raise limits.depth, or flatten the value.',
  },
  'media-type': {
    rpc: 42015,
    http: 415,
    text: 'the content type must be application/json',
    help: 'Set Content-Type: application/json; encodings other than identity are refused.',
  },
  'not-acceptable': {
    rpc: 42016,
    http: 406,
    text: 'accept both application/json and text/event-stream',
    help: 'Set Accept: application/json, text/event-stream.',
  },
  'session-unknown': {
    rpc: 42004,
    http: 404,
    text: 'unknown session',
    help: 'The session has ended or belongs to another principal; initialize again.',
  },
  'session-missing': {
    rpc: 42005,
    http: 400,
    text: 'no session',
    help: 'Send initialize first, and its Mcp-Session-Id with every request.',
  },
  'too-many-sessions': {
    rpc: 42027,
    http: 503,
    text: 'too many sessions',
    help: 'Every session that the gateway keeps is in use; sessions that are idle for long end by themselves. Retry later.',
  },
  // Not 404, which would tell the client that its session has ended.
  'stream-unknown': {
    rpc: 42028,
    http: 400,
    text: 'unknown event',
    help: 'No stream of this session has this Last-Event-ID, or nothing is kept of it any more. Without the header a new stream is opened.',
  },
  'not-found': {
    rpc: 42006,
    http: 404,
    text: 'not found',
    help: 'The endpoints are /mcp, /mcp/SERVER, /healthz and /readyz.',
  },
  'method-not-allowed': {
    rpc: 42007,
    http: 405,
    text: 'method not allowed',
    help: 'Use POST, GET (event stream) or DELETE (end of session).',
  },
  'forbidden-host': {
    rpc: 42008,
    http: 403,
    text: 'host or origin is not allowed',
    help: 'Add it to listen.hosts or listen.origins.',
  },
  'forbidden-address': {
    rpc: 42032,
    http: 403,
    text: 'address is not allowed',
    help: 'The address that this client comes from is not among those that `ipfilter` lets in. Behind a proxy, see listen.trustedProxies.',
  },
  // of revision 2026-07-28, with its numbers
  'header-mismatch': {
    rpc: -32020,
    http: 400,
    text: 'a header does not say what the body says',
    help: 'Mirror protocol version, method, name and annotated parameters in their headers exactly, each once.',
  },
  'missing-capability': {
    rpc: -32021,
    http: 400,
    text: 'the client did not declare a capability that this needs',
    help: 'Declare it in io.modelcontextprotocol/clientCapabilities of the request; data.requiredCapabilities names it.',
  },
  'unsupported-version': {
    rpc: -32022,
    http: 400,
    text: 'unsupported protocol version',
    help: 'Use one of data.supported, or initialize with an older revision.',
  },
  // identity and decision
  unauthenticated: {
    rpc: 42001,
    http: 401,
    text: 'authentication required',
    help: 'Send Authorization: Bearer KEY or X-API-Key: KEY. `mcpgw keys create` makes one.',
  },
  'bad-credential': {
    rpc: 42001,
    http: 401,
    text: 'authentication failed',
    help: 'The credential is unknown, expired or revoked.',
  },
  'many-credentials': {
    rpc: 42002,
    http: 400,
    text: 'more than one credential',
    help: 'Send exactly one of Authorization, X-API-Key and, from gateway to gateway, mcpgw-caller, once.',
  },
  'bad-signature': {
    rpc: 42040,
    http: 401,
    text: 'the signature of the gateway is not accepted',
    help: 'What another gateway signs (header mcpgw-caller) does not hold: unknown key, other audience, too old, used before, or not this request. WWW-Authenticate has one word of it, the record has the reason; `mcpgw servers status` at the gateway that signs says it too.',
  },
  'too-many-failures': {
    rpc: 42029,
    http: 429,
    text: 'too many failed attempts',
    help: 'Retry after the time given. Right keys and tokens that came before are let in meanwhile. `auth.failures` sets how many may fail.',
  },
  // Spec: basic/authorization, "Scope Challenge Handling".
  'insufficient-scope': {
    rpc: 42033,
    http: 403,
    text: 'the token lacks a scope',
    help: 'Get a token with the scopes that the header WWW-Authenticate names.',
  },
  denied: {
    rpc: 42003,
    http: 403,
    text: 'denied',
    help: 'A rule denied this, or no rule allows it. The record names the rule.',
  },
  'rate-limited': {
    rpc: 42029,
    http: 429,
    text: 'too many requests',
    help: 'Retry after the time given.',
  },
  'budget-exceeded': {
    rpc: 42030,
    http: 429,
    text: 'the budget is used up',
    help: 'Retry when the next day or month begins, after the time given, or ask for a larger budget.',
  },
  'unmet-obligation': {
    rpc: 42010,
    http: 403,
    text: 'denied',
    help: 'An obligation of the allowing rule could not be carried out; the log names it.',
  },
  'approval-pending': {
    rpc: 42038,
    http: 403,
    text: 'this call waits for approval',
    help: 'Somebody whom the policy names must approve it: with the tool approvals_approve, POST /approvals/{id}/approve, or `mcpgw approvals approve ID`. Then make the same call again.',
  },
  'approval-rejected': {
    rpc: 42039,
    http: 403,
    text: 'this call was rejected',
    help: 'Whoever was asked to approve it has rejected it. `mcpgw approvals list --all` shows who, and why; after the time of the policy it can be asked for again.',
  },
  withheld: {
    rpc: 42011,
    http: 200,
    rest: 502,
    text: 'the answer was withheld',
    help: 'A plugin could not clear the answer; the log names plugin and hook. The call itself was made.',
  },
  'redaction-blocked': {
    rpc: 42030,
    http: 403,
    text: 'denied',
    help: 'It holds a value of a kind that may not pass (action block of the plugin redact); the reason names the detector.',
  },
  'redaction-limit': {
    rpc: 42031,
    http: 503,
    text: 'the gateway could not look through this in time',
    help: 'The message is too large to be searched for personal data within the time set (scan of the plugin redact), or too many wait. Send less, or retry.',
  },
  'plugin-failed': {
    rpc: 42012,
    http: 503,
    text: 'the gateway could not check this request',
    help: 'A plugin threw, timed out or answered nonsense; the log names plugin and hook.',
  },
  'not-recorded': {
    rpc: 42017,
    http: 503,
    text: 'the gateway could not record this request',
    help: 'The audit store, or what policies remember, is not writable; the call was not made. See `mcpgw doctor`.',
  },
  // upstream
  'upstream-unavailable': {
    rpc: 42020,
    http: 200,
    rest: 503,
    text: 'the server is not available',
    help: 'It does not start, is being restarted, or failed so many calls that it is left alone for a while. `mcpgw servers status` says why.',
  },
  'upstream-crashed': {
    rpc: 42021,
    http: 200,
    rest: 502,
    text: 'the server went away during the call',
    help: 'Its process ended or its connection broke. Whether the call took effect is not known.',
  },
  'upstream-timeout': {
    rpc: 42022,
    http: 200,
    rest: 504,
    text: 'the server did not answer in time',
    help: 'Raise servers[].timeout.call, or .max for a call that reports progress. Whether the call took effect is not known.',
  },
  'upstream-garbage': {
    rpc: 42023,
    http: 200,
    rest: 502,
    text: 'the server answered with something that is not valid MCP',
    help: 'The log names the server and what was wrong.',
  },
  'upstream-busy': {
    rpc: 42028,
    http: 200,
    rest: 503,
    text: 'the server is busy',
    help: 'As many calls as servers[].limits allows are under way, and too many wait; nothing was sent. Retry later.',
  },
  'upstream-credential': {
    rpc: 42034,
    http: 200,
    rest: 403,
    text: 'there is no credential of yours for this server',
    help: 'The server is shown a credential of each caller, and none could be had for this one; nothing was sent. The log says why.',
  },
  'client-gone': {
    rpc: 42024,
    http: 200,
    rest: 502,
    text: 'the client has gone',
    help: 'The client that should answer this request has disconnected.',
  },
  'client-cannot': {
    rpc: -32601,
    http: 200,
    rest: 502,
    text: 'the client does not support this',
    help: 'The client did not declare the capability that the server asked for.',
  },
  cancelled: {
    rpc: 42025,
    http: 200,
    rest: 503,
    text: 'cancelled',
    help: 'The caller cancelled the request.',
  },
  'credential-ended': {
    rpc: 42035,
    http: 200,
    rest: 401,
    text: 'the credential has ended',
    help: 'The request was ended because the credential that it came with was revoked, expired, was taken out or killed. A call may have been made; the record says whether it was sent.',
  },
  killed: {
    rpc: 42036,
    http: 403,
    text: 'stopped by an operator',
    help: 'An operator has killed this tenant, key or server, or the version of it that a session has. `mcpgw kill --list` says since when and why, `mcpgw kill --lift` ends it.',
  },
  overloaded: {
    rpc: 42037,
    http: 503,
    text: 'the gateway has too much to do',
    help: 'The event loop is late, memory is short, or too many calls are under way (`limits.overload`); nothing was done. Retry later. `/healthz` says which.',
  },
  stopping: {
    rpc: 42026,
    http: 503,
    text: 'the gateway is stopping',
    help: 'Connect again, or to another instance.',
  },
  internal: {
    rpc: -32603,
    http: 500,
    text: 'internal error',
    help: 'A bug in the gateway; the log has the details. Please report it.',
  },
}

/** Own-property lookup, so that `constructor` is no code. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errors, code)
}
