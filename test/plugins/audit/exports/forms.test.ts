// The forms: each fits the schema that its owner publishes, for every type of record, and nothing that is recorded can break out of its place.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AuditEvent, createEvent, type Fields } from '../../../../plugins/audit/exports/event.ts'
import { formOf, forms } from '../../../../plugins/audit/exports/forms.ts'
import { readCef } from './cef-reader.ts'
import { findEcsFaults } from './ecs-schema.ts'
import { expectGolden } from './golden.ts'
import { findOcsfFaults } from './ocsf-schema.ts'
import { eventOf, samples } from './samples.ts'

const VERSION = '0.1.0'
const parse = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>

test.each(forms)('every type of record in the form %s is as it was', name => {
  const { write } = formOf(name, VERSION)
  expectGolden(`${name}.txt`, samples.map(event => `${write(event)}\n`).join(''))
})

// What somebody wrote into the file by other means, too: any JSON in any member.
const members = ['action', 'server', 'tool', 'uri', 'tenant', 'subject', 'callId', 'outcome', 'errorCode', 'decision', 'actor', 'source']
const more = ['client', 'transport', 'http', 'count', 'firstAt', 'durationMs', 'detail', 'args', 'result', 'success']
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a|b', 'a=b', 'x\\', ']"', 'a\n{"level":"info"}', 'CEF:0|', ' cs1=', '\u202e\u2028'),
)
const hostile: fc.Arbitrary<Fields> = fc.oneof(
  fc.record(Object.fromEntries([...members, ...more].map(name => [name, text])), { requiredKeys: [] }),
  fc.record(Object.fromEntries([...members, ...more].map(name => [name, fc.jsonValue()])), { requiredKeys: [] }),
) as fc.Arbitrary<Fields>
const nested = (body: Fields): Fields => {
  const { outcome, reason, id } = body
  return {
    ...body,
    decision: { outcome, code: id, reason, rules: [reason] },
    actor: { id: reason, name: id },
    source: { ip: id },
  } as Fields
}

describe('whatever is recorded', () => {
  test.each(forms)('is one line without control characters in the form %s', name => {
    const { write } = formOf(name, VERSION)
    fc.assert(
      fc.property(text, hostile, fc.integer(), (type, body, at) => {
        for (const one of [body, nested(body)]) {
          const event = eventOf(type, one)
          const line = write(createEvent({ ...event.record, at: at * 1e9 }, one))
          expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('stays in its field in CEF', () => {
    fc.assert(
      fc.property(text, hostile, (type, body) => {
        const one = nested(body)
        const { head, fields } = readCef(formOf('cef', VERSION).write(eventOf(type, one)))
        expect(head.slice(0, 4)).toEqual(['CEF:0', 'mcpgw', 'mcpgw', VERSION])
        expect(head[6]).toMatch(/^[147]$/)
        expect([...fields.keys()].filter(key => !CEF_KEYS.has(key))).toEqual([])
        expect(fields.get('cs6')).toBe('01'.repeat(32))
      }),
      { numRuns: 500 },
    )
  })
})

const CEF_KEYS = new Set(
  'rt externalId deviceExternalId act outcome suid suser src c6a2 c6a2Label app requestMethod request reason msg cnt cn1 cn1Label'
    .split(' ')
    .concat([1, 2, 3, 4, 5, 6].flatMap(n => [`cs${n}`, `cs${n}Label`])),
)

describe('OCSF', () => {
  const write = (event: AuditEvent) => parse(formOf('ocsf', VERSION).write(event))
  test.each(samples.map(event => [event.record.type, event] as const))(
    '%s is an API Activity by the published definition',
    (_type, event) => {
      expect(findOcsfFaults(write(event))).toEqual([])
    },
  )

  test('the check of this test finds what is unknown, missing, of another type, or none of the values', () => {
    const good = write(samples[0]!)
    expect(findOcsfFaults({ ...good, colour: 1 })).toEqual(['colour: unknown'])
    expect(findOcsfFaults({ ...good, time: undefined })).toContain('time: missing')
    expect(findOcsfFaults({ ...good, severity_id: 77 })[0]).toMatch(/^severity_id: 77 is none of/)
    expect(findOcsfFaults({ ...good, message: 1 })).toEqual(['message: no string'])
    expect(findOcsfFaults({ ...good, src_endpoint: {} })[0]).toMatch(/at_least_one/)
    expect(findOcsfFaults({ ...good, metadata: { ...(good.metadata as object), profiles: [] } })[0]).toMatch(/of profile security_control/)
  })

  test('says who did what, on what, and how it ended', () => {
    expect(write(samples[0]!)).toMatchObject({
      type_uid: 600_399,
      activity_name: 'tools/call',
      action: 'Allowed',
      actor: { user: { uid: 'agent-1' } },
      api: { operation: 'tools/call', service: { name: 'files' }, request: { uid: 'c1', data: { path: '/a' } } },
      src_endpoint: { ip: '192.0.2.7' },
      resources: [{ name: 'read', type: 'tool' }],
    })
    expect(write(samples[3]!)).toMatchObject({ status: 'Failure', status_code: 'denied', action: 'Denied', activity_name: 'Read' })
  })
})

describe('ECS', () => {
  const write = (event: AuditEvent) => parse(formOf('ecs', VERSION).write(event))
  test.each(samples.map(event => [event.record.type, event] as const))('%s has fields of the published schema only', (_type, event) => {
    expect(findEcsFaults(write(event))).toEqual([])
  })

  test('the check of this test finds what is unknown, missing, of another type, or not allowed', () => {
    const good = write(samples[0]!) as { event: object }
    expect(findEcsFaults({ ...good, colour: 'red' })).toEqual(['colour: is no field'])
    expect(findEcsFaults({ ...good, '@timestamp': undefined })).not.toEqual([])
    expect(findEcsFaults({ ...good, event: { ...good.event, kind: 'odd' } })).toEqual(['event.kind: odd is not allowed'])
    expect(findEcsFaults({ ...good, event: { ...good.event, type: ['group'] } })).toEqual(['event.type: group does not go with api'])
    expect(findEcsFaults({ ...good, event: { ...good.event, sequence: '1' } })).toEqual(['event.sequence: no long'])
  })
})

test('CEF names the severity, the ends and the address of each version', () => {
  const of = (index: number) => readCef(formOf('cef', VERSION).write(samples[index]!))
  expect(of(3)).toMatchObject({ head: expect.arrayContaining(['refusal', '4']) as unknown })
  expect(Object.fromEntries(of(4).fields)).toMatchObject({
    act: 'deny',
    cnt: '42',
    c6a2: '2001:db8::1',
    reason: 'unauthenticated',
    outcome: 'failure',
  })
  expect(of(0).fields.get('src')).toBe('192.0.2.7')
})
