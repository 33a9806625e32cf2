// Arguments as requests: whatever a caller writes stays an argument, and never another path, header or parameter.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Json } from '../../../../core/mcp/json.ts'
import { readTemplate } from '../../../../core/upstream/rest/path.ts'
import { type RestRequest, requestOf } from '../../../../core/upstream/rest/request.ts'
import type { RestParameter, RestTool } from '../../../../core/upstream/rest/tool.ts'

const base = {
  url: new URL('https://api.example/v1/?fixed=1'),
  headers: { accept: 'a', authorization: 'Bearer ours', cookie: 'theme=dark' },
}

function tool(path: string, more: Partial<RestTool> = {}): RestTool {
  const template = readTemplate(path)
  if (typeof template === 'string') throw new Error(template)
  return { name: 't', definition: {}, method: 'GET', path: template, parameters: [], others: 'refused', ...more }
}
const parameter = (
  name: string,
  place: RestParameter['in'],
  style: RestParameter['style'] = { kind: 'repeated' },
  required = false,
): RestParameter => ({
  argument: name,
  in: place,
  name,
  required,
  style,
})
function made(of: RestTool, args: string): RestRequest {
  const request = requestOf(of, base, Json.scan(Buffer.from(args)) as Json)
  if (typeof request === 'string') throw new Error(request)
  return request
}
const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text)
const refused = (of: RestTool, args: object): unknown => requestOf(of, base, Json.of(args as never))

describe('a path', () => {
  test('has each argument in its own segment, encoded', () => {
    expect(made(tool('/pets/{id}/x-{a}.{b}'), '{"id":"a b?c#d%2e&é","a":1.50,"b":true}').path).toBe(
      '/v1/pets/a%20b%3Fc%23d%252e%26%C3%A9/x-1.50.true?fixed=1',
    )
    expect(made(tool('/f/{+path}'), '{"path":"a/b c/d"}').path).toBe('/v1/f/a/b%20c/d?fixed=1')
    expect(made(tool(''), '{}').path).toBe('/v1?fixed=1')
  })

  test.each([['..'], ['.'], ['a/b'], ['../../admin'], ['a\\b'], ['..\\'], [''], ['a\u0000'], ['a\r\nb']])('is never left by %j', value => {
    expect(typeof refused(tool('/pets/{id}'), { id: value })).toBe('string')
  })

  test.each([['..'], ['a/../b'], ['/a'], ['a//b'], ['a/'], ['a/./b'], ['a\\..\\b'], ['']])(
    'that may have slashes is never left by %j',
    value => {
      expect(typeof refused(tool('/f/{+path}'), { path: value })).toBe('string')
    },
  )

  test('cannot be made of parts that are dots together', () => {
    expect(typeof refused(tool('/{a}{b}/x'), { a: '.', b: '.' })).toBe('string')
    expect(typeof refused(tool('/.{a}'), { a: '.' })).toBe('string')
  })

  test('of any arguments stays below the url, and the server reads back what was written', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('.', '/', '\\', '%', '2', 'e', 'f', '?', '#', ';', ' ') }),
    )
    fc.assert(
      fc.property(text, text, (a, b) => {
        fc.pre(isWellFormed(a + b))
        const request = refused(tool('/pets/{a}/toys/{b}'), { a, b })
        if (typeof request === 'string') return
        const url = new URL(`https://api.example${(request as RestRequest).path}`)
        const segments = url.pathname.split('/')
        expect(segments.slice(0, 3)).toEqual(['', 'v1', 'pets'])
        expect(segments[4]).toBe('toys')
        expect([decodeURIComponent(segments[3]!), decodeURIComponent(segments[5]!), segments.length]).toEqual([a, b, 6])
        expect(url.search).toBe('?fixed=1')
        expect(url.hash).toBe('')
      }),
    )
  })
})

describe('a query', () => {
  const of = (style: RestParameter['style']): RestTool => tool('/a', { parameters: [parameter('q', 'query', style)] })

  test.each([
    [{ kind: 'repeated' }, '{"q":["a,b","c&d"]}', 'q=a%2Cb&q=c%26d'],
    [{ kind: 'joined', separator: ',' }, '{"q":["a,b",1]}', 'q=a%2Cb%2C1'],
    [{ kind: 'joined', separator: '|' }, '{"q":["a","b"]}', 'q=a%7Cb'],
    [{ kind: 'deep' }, '{"q":{"a":1,"b]&c":"d"}}', 'q%5Ba%5D=1&q%5Bb%5D%26c%5D=d'],
    [{ kind: 'json' }, '{"q":{"a":[1.0]}}', 'q=%7B%22a%22%3A%5B1.0%5D%7D'],
    [{ kind: 'repeated' }, '{"q":9007199254740993}', 'q=9007199254740993'],
  ] as const)('in the style %j', (style, args, query) => {
    expect(made(of(style), args).path).toBe(`/v1/a?fixed=1&${query}`)
  })

  test('takes no null, no map and no list of lists where there is no place for one', () => {
    expect(made(of({ kind: 'repeated' }), '{"q":null}').path).toBe('/v1/a?fixed=1')
    expect(refused(of({ kind: 'repeated' }), { q: { a: 1 } })).toBe('`q` must be a text, a number, true or false')
    expect(refused(of({ kind: 'repeated' }), { q: [['a']] })).toContain('must be a list of')
    expect(refused(of({ kind: 'deep' }), { q: { a: { b: 1 } } })).toContain('must be a map of')
  })

  test('of any arguments is read back as what was written, and has no other parameter', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }).filter(isWellFormed), { minLength: 1 }), values => {
        const { search } = new URL(`https://api.example${made(of({ kind: 'repeated' }), JSON.stringify({ q: values })).path}`)
        const query = new URLSearchParams(search)
        expect(query.getAll('q')).toEqual(values)
        expect([...query.keys()].filter(key => key !== 'q')).toEqual(['fixed'])
      }),
    )
  })
})

describe('headers and cookies', () => {
  test('of a caller stand beside those of the config, never in their place', () => {
    const of = tool('/a', { parameters: [parameter('Authorization', 'header'), parameter('X-A', 'header'), parameter('sid', 'cookie')] })
    const { headers } = made(of, '{"Authorization":"Bearer theirs","X-A":["b","c"],"sid":"x; theme=light"}')
    expect(headers).toEqual({ accept: 'a', authorization: 'Bearer ours', 'x-a': 'b,c', cookie: 'theme=dark; sid=x%3B%20theme%3Dlight' })
  })

  test.each([['a\r\nX-B: c'], ['a\nb'], ['\u0000'], ['ł'], [''], [' a'], ['a\u007f']])(
    'a value that is no header is refused: %j',
    value => {
      expect(refused(tool('/a', { parameters: [parameter('X-A', 'header')] }), { 'X-A': value })).toContain('one line of Latin-1')
    },
  )
})

describe('a body', () => {
  const of = tool('/a', { method: 'POST', body: { argument: 'body', mediaType: 'application/json', required: true } })

  test('is the bytes of its argument as they came', () => {
    const { body, headers } = made(of, '{"body":{"n":1.0,"big":9007199254740993}}')
    expect(Buffer.from(body!).toString()).toBe('{"n":1.0,"big":9007199254740993}')
    expect(headers['content-type']).toBe('application/json')
    expect(Buffer.from(made(of, '{"body":null}').body!).toString()).toBe('null')
  })

  test('that is required must be there, and what the tool does not have must not', () => {
    expect(refused(of, {})).toBe('`body` must be given')
    expect(refused(of, { body: 1, other: 2 })).toBe('the tool has no `other`')
  })

  test('is all that is nowhere else, for a tool of the config', () => {
    const listed = tool('/f/{city}', { method: 'POST', others: 'body', parameters: [parameter('q', 'query')] })
    const { path, body } = made(listed, '{"city":"Oslo","q":1,"a":[1],"b":null}')
    expect(path).toBe('/v1/f/Oslo?fixed=1&q=1')
    expect(Buffer.from(body!).toString()).toBe('{"a":[1],"b":null}')
    const reading = made(tool('/f/{city}', { others: 'query' }), '{"city":"Oslo","a":[1,2],"b":null}')
    expect(reading).toMatchObject({ path: '/v1/f/Oslo?fixed=1&a=1&a=2' })
    expect(reading.body).toBeUndefined()
  })
})

test('arguments that make a URL longer than anybody reads are refused', () => {
  expect(refused(tool('/{a}'), { a: 'x'.repeat(70_000) })).toBe('the arguments are too long for a URL')
})
