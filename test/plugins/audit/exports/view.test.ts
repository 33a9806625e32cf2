// What an export shows of records: it asks for the keys of those in the batch and of nobody else, each time anew.
import { expect, test } from 'vitest'
import { createView } from '../../../../plugins/audit/exports/view.ts'
import type { StoredRecord, SubjectRow } from '../../../../plugins/audit/store/log-store.ts'
import { createSubjects, deriveKeys } from '../../../../plugins/audit/subjects.ts'
import { realClock } from '../gateway.ts'

const keys = deriveKeys(new Uint8Array(32).fill(7))
const subjects = createSubjects(keys, [], realClock, { now: 0, mono: 0 })

function person(id: string): { readonly row: SubjectRow; record(call: string): StoredRecord } {
  const subject = subjects.of({ tenant: 'acme', id })
  const [rowId, lookup, key, who] = subject.row.params as [string, string, string, string]
  return {
    row: { id: rowId, lookup, key, who },
    record(call) {
      const personal = subject.seal(JSON.stringify({ args: { for: id }, source: { ip: '192.0.2.1' } }), `intent ${call}`)
      const body = Buffer.from(JSON.stringify({ type: 'intent', subject: subject.id, personal }))
      return { stream: 's', seq: 1, at: 1, type: 'intent', call, prev: new Uint8Array(32), hash: new Uint8Array(32), body }
    },
  }
}

function store(rows: readonly SubjectRow[]) {
  const stored = new Map(rows.map(row => [row.id, row]))
  const asked: string[][] = []
  return {
    stored,
    asked,
    async subjects(ids: readonly string[]): Promise<readonly SubjectRow[]> {
      asked.push([...ids])
      return ids.flatMap(id => stored.get(id) ?? [])
    },
  }
}

test('it asks for those in the batch only, and for each of them once a batch', async () => {
  const people = ['a', 'b', 'c'].map(person)
  const db = store(people.map(({ row }) => row))
  const show = createView({ names: true, contents: true, keys, subjects: db.subjects })
  const [a, b] = people as [ReturnType<typeof person>, ReturnType<typeof person>]
  const shown = await show([a.record('1'), b.record('2'), a.record('3')])
  expect(shown.map(({ actor, args }) => [actor, args])).toEqual(['a', 'b', 'a'].map(id => [{ id }, { for: id }]))
  expect(db.asked).toEqual([[a.row.id, b.row.id]])
})

test('who was forgotten is not named by the next batch, and who came back by another key is', async () => {
  const a = person('d')
  const db = store([a.row])
  const show = createView({ names: true, contents: false, keys, subjects: db.subjects })
  const record = a.record('1')
  expect(await show([record])).toMatchObject([{ actor: { id: 'd' }, source: { ip: '192.0.2.1' } }])
  db.stored.delete(a.row.id)
  const [sealed] = await show([record])
  expect(sealed).toEqual({ type: 'intent', subject: a.row.id })
  // A row of this id that is another one opens nothing of what the first key sealed.
  db.stored.set(a.row.id, { ...person('e').row, id: a.row.id })
  expect(await show([record])).toEqual([sealed])
  db.stored.set(a.row.id, a.row)
  expect(await show([record])).toMatchObject([{ actor: { id: 'd' } }])
})

test('without names and contents nobody is asked for', async () => {
  const a = person('f')
  const db = store([a.row])
  const show = createView({ names: false, contents: false, keys, subjects: db.subjects })
  expect(await show([a.record('1')])).toEqual([{ type: 'intent', subject: a.row.id }])
  expect(db.asked).toEqual([])
})

test('what somebody else wrote in the place of a pseudonym is not asked for', async () => {
  const db = store([])
  const show = createView({ names: true, contents: false, keys, subjects: db.subjects })
  const record = person('g').record('1')
  for (const subject of [7, null, {}, '', 'a\u0000b', '\ud800', 'x'.repeat(65)])
    expect(await show([{ ...record, body: Buffer.from(JSON.stringify({ subject })) }])).toEqual([{ subject }])
  expect(db.asked).toEqual([])
})
