// The JSON-RPC envelope: which messages exist, which are refused and why, and that what we write can be read.
import { describe, expect, test } from 'vitest'
import { isFault, Json } from '../../../core/mcp/json.ts'
import {
  type Message,
  type MessageFault,
  readMessage,
  toLine,
  writeError,
  writeErrorObject,
  writeNotification,
  writeRequest,
  writeResult,
} from '../../../core/mcp/message.ts'

function scanned(text: string | Uint8Array): Json {
  const json = Json.scan(Buffer.from(text))
  if (isFault(json)) throw new Error(`${json.message} at ${json.offset}`)
  return json
}

function read(text: string | Uint8Array, side: 'downstream' | 'upstream' = 'downstream'): Message | MessageFault {
  return readMessage(scanned(text), side)
}

function kindOf(text: string, side: 'downstream' | 'upstream' = 'downstream'): string {
  const message = read(text, side)
  return 'code' in message ? message.code : message.kind
}

/** `"rest` of a request, with the envelope before it. */
const request = (rest: string) => `{"jsonrpc":"2.0","id":1,"method":"tools/call",${rest}}`
const error = (inner: string, id = '"id":1,') => `{"jsonrpc":"2.0",${id}"error":${inner}}`

describe('readMessage', () => {
  test('reads a request and keeps the id as it was written', () => {
    for (const id of ['1', '-7', '0', '"a\\u0062"', '""', '12345678901234567890123']) {
      const message = read(`{"jsonrpc":"2.0","id":${id},"method":"tools/list","params":{"cursor":"x"}}`)
      if (!('kind' in message) || message.kind !== 'request') throw new Error('no request')
      expect(message.id.text).toBe(id)
      expect(message.method).toBe('tools/list')
      expect(message.params?.string('cursor')).toBe('x')
    }
  })

  test('reads notifications, results and errors', () => {
    expect(read('{"jsonrpc":"2.0","method":"notifications/initialized"}')).toMatchObject({ kind: 'notification', params: undefined })
    expect(kindOf('{"jsonrpc":"2.0","id":"x","result":{}}')).toBe('result')
    expect(kindOf(error('{"code":-32600,"message":"no","data":[1]}'))).toBe('error')
    expect(read(error('{"code":1,"message":""}', '"id":null,'))).toMatchObject({ kind: 'error', id: null })
    expect(read(error('{"code":1,"message":""}', ''))).toMatchObject({ kind: 'error', id: null })
  })

  test('keeps unknown root members', () => {
    const message = read('{"jsonrpc":"2.0","id":1,"method":"ping","x-trace":{"a":1}}')
    expect('kind' in message && message.kind === 'request' && message.json.get('x-trace')?.text).toBe('{"a":1}')
  })

  test('reports a batch as such and refuses an empty one', () => {
    const batch = read('[{"jsonrpc":"2.0","method":"a"}, 1]')
    expect('kind' in batch && batch.kind === 'batch' && batch.items.map(item => item.text)).toEqual(['{"jsonrpc":"2.0","method":"a"}', '1'])
    expect(kindOf('[]')).toBe('invalid-request')
  })

  test.each([
    ['a string', '"ping"'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['no version', '{"id":1,"method":"ping"}'],
    ['version 2', '{"jsonrpc":2.0,"id":1,"method":"ping"}'],
    ['version 1.0', '{"jsonrpc":"1.0","id":1,"method":"ping"}'],
    ['a null id', '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
    ['a fraction as id', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'],
    ['an exponent as id', '{"jsonrpc":"2.0","id":1e3,"method":"ping"}'],
    ['minus zero as id', '{"jsonrpc":"2.0","id":-0,"method":"ping"}'],
    ['an object as id', '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
    ['true as id', '{"jsonrpc":"2.0","id":true,"method":"ping"}'],
    ['an empty method', '{"jsonrpc":"2.0","id":1,"method":""}'],
    ['a number as method', '{"jsonrpc":"2.0","id":1,"method":1}'],
    ['an array as params', '{"jsonrpc":"2.0","id":1,"method":"a","params":[]}'],
    ['null as params', '{"jsonrpc":"2.0","id":1,"method":"a","params":null}'],
    ['method and result', '{"jsonrpc":"2.0","id":1,"method":"a","result":{}}'],
    ['result and error', '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}'],
    ['result and a null error', '{"jsonrpc":"2.0","id":1,"result":{},"error":null}'],
    ['a result without id', '{"jsonrpc":"2.0","result":{}}'],
    ['a result with a null id', '{"jsonrpc":"2.0","id":null,"result":{}}'],
    ['a result with params', '{"jsonrpc":"2.0","id":1,"result":{},"params":{}}'],
    ['a string as error', error('"no"')],
    ['an error without code', error('{"message":"no"}')],
    ['an error code as string', error('{"code":"1","message":"no"}')],
    ['an error code with a fraction', error('{"code":1.5,"message":"no"}')],
    ['an error without message', error('{"code":1}')],
    ['an error with an array as id', error('{"code":1,"message":""}', '"id":[],')],
  ])('refuses %s, from either side', (_what, text) => {
    expect(kindOf(text, 'downstream')).toBe('invalid-request')
    expect(kindOf(text, 'upstream')).toBe('invalid-request')
  })

  test.each([
    '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","METHOD":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"Method":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","\\u004dethod":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","paramſ":{}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","ｍethod":"a"}',
    '{"jsonrpc":"2.0","JSONRPC":"2.0","id":1,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"ID":2,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"ıd":2,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"reſult":{},"result":{}}',
    '{"jsonrpc":"2.0","id":1,"result":{},"Error":{}}',
  ])('refuses a look-alike of a root key from either side: %s', text => {
    expect(kindOf(text, 'downstream')).toBe('invalid-request')
    expect(kindOf(text, 'upstream')).toBe('invalid-request')
  })

  test.each([
    request('"params":{"name":"a","Name":"b"}'),
    request('"params":{"NAME":"b"}'),
    request('"params":{"name":"a","argumentſ":{}}'),
    request('"params":{"name":"a","Arguments":{}}'),
    request('"params":{"name":"a","_META":{}}'),
    request('"params":{"taſk":{}}'),
    request('"params":{"tasK":{}}'),
    request('"params":{"URI":"file:///"}'),
    request('"params":{"Cursor":""}'),
    request('"params":{"requestid":1}'),
    request('"params":{"progresstoken":1}'),
    request('"params":{"requeststate":""}'),
    request('"params":{"inputresponses":{}}'),
    request('"params":{"_meta":{"progressToken":1,"ProgressToken":2}}'),
    error('{"code":1,"message":"","Code":2}'),
    error('{"code":1,"message":"","meſſage":""}'),
    error('{"code":1,"message":"","DATA":1}'),
  ])('refuses a look-alike inside params and error from a client, and lets it through from a server: %s', text => {
    expect(kindOf(text, 'downstream')).toBe('invalid-request')
    expect(kindOf(text, 'upstream')).not.toBe('invalid-request')
  })

  test.each([
    '{"jsonrpc":"2.0","id":1,"method":"a","names":1,"idx":1,"meth":1}',
    request('"params":{"name":"x","arguments":{"Name":1,"METHOD":2,"URI":3},"Method":1}'),
    request('"params":{"n\\u0061me":"x"}'),
  ])('lets other keys alone: %s', text => {
    expect(kindOf(text)).toBe('request')
  })

  test('says which id a refusal answers, where there is a valid one', () => {
    expect(read('{"jsonrpc":"2.0","id":"q","method":""}')).toMatchObject({ id: { text: '"q"' } })
    expect(read('{"jsonrpc":"2.0","id":1.5,"method":"a"}')).toMatchObject({ id: null })
    expect(read('7')).toMatchObject({ id: null })
  })
})

describe('writers', () => {
  const params = scanned('{ "a" : 1.0, "ü": "x\\n" }')
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

  test('put the scanned bytes into the envelope as they are', () => {
    expect(text(writeRequest(3, 'tools/call', params))).toBe(
      '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{ "a" : 1.0, "ü": "x\\n" }}',
    )
    expect(text(writeRequest(scanned('"é"'), 'ping'))).toBe('{"jsonrpc":"2.0","id":"é","method":"ping"}')
    expect(text(writeNotification('notifications/é"', params))).toBe(
      '{"jsonrpc":"2.0","method":"notifications/é\\"","params":{ "a" : 1.0, "ü": "x\\n" }}',
    )
    expect(text(writeNotification('a'))).toBe('{"jsonrpc":"2.0","method":"a"}')
    expect(text(writeResult(scanned('12345678901234567890'), scanned('{}')))).toBe(
      '{"jsonrpc":"2.0","id":12345678901234567890,"result":{}}',
    )
    expect(text(writeError(null, { code: -32700, message: 'a "b"' }))).toBe(
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"a \\"b\\""}}',
    )
    expect(text(writeError(1, { code: 42003, message: 'no', data: params }))).toBe(
      '{"jsonrpc":"2.0","id":1,"error":{"code":42003,"message":"no","data":{ "a" : 1.0, "ü": "x\\n" }}}',
    )
    expect(text(writeErrorObject(2, scanned('{"code":1,"message":"m","more":1}')))).toBe(
      '{"jsonrpc":"2.0","id":2,"error":{"code":1,"message":"m","more":1}}',
    )
  })

  test('write what readMessage reads', () => {
    for (const bytes of [
      writeRequest(1, 'm', params),
      writeNotification('m', params),
      writeResult(1, params),
      writeError(1, { code: 1, message: 'm\u2028\ud800' }),
    ]) {
      expect('kind' in read(bytes)).toBe(true)
    }
  })

  test('never write a line break, whatever white space was received', () => {
    const spread = scanned('{\r\n\t"a":\n[1,\r2],"b":"\\r\\n"\n}')
    const written = writeResult(1, spread)
    expect(text(written)).toBe('{"jsonrpc":"2.0","id":1,"result":{  \t"a": [1, 2],"b":"\\r\\n" }}')
    expect(spread.text).toContain('\n')
    expect(text(toLine(spread.bytes))).toBe('{  \t"a": [1, 2],"b":"\\r\\n" }')
    expect(toLine(params.bytes)).toBe(params.bytes)
  })

  test('refuse an error code that is no integer', () => {
    expect(() => writeError(1, { code: Number.NaN, message: '' })).toThrow(TypeError)
  })
})
