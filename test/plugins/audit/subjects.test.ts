// Which key seals: the same for somebody as long as the store says that it stays, and never one that may have been deleted meanwhile.
import { describe, expect, test } from 'vitest'
import type { SubjectRow } from '../../../plugins/audit/store/log-store.ts'
import {
  createSubjects,
  deriveKeys,
  LEASE_MS,
  momentOf,
  openSubject,
  type Subject,
  type Subjects,
} from '../../../plugins/audit/subjects.ts'

const keys = deriveKeys(new Uint8Array(32))
const ann = { tenant: 'acme', id: 'ann' }
const bob = { tenant: 'acme', id: 'bob' }

let time = { now: 1_000_000, mono: 0 }
const clock = { now: () => time.now, mono: () => time.mono, after: () => () => {} }
const pass = (ms: number): void => {
  time = { now: time.now + ms, mono: time.mono + ms }
}

function make(known: readonly SubjectRow[] = []): Subjects {
  return createSubjects(keys, known, clock, momentOf(clock))
}
const rowOf = ({ row }: Subject): SubjectRow => {
  const [id, lookup, key, who] = row.params as readonly string[]
  return { id: id!, lookup: lookup!, key: key!, who: who! }
}
function stored(subjects: Subjects, who: typeof ann): Subject {
  const subject = subjects.of(who)
  subject.stored = true
  return subject
}

describe('a key', () => {
  test('stays as long as the store is heard in time', () => {
    const subjects = make()
    const first = stored(subjects, ann)
    for (let i = 0; i < 10; i++) {
      pass(LEASE_MS - 1)
      subjects.confirm([], momentOf(clock))
      expect(subjects.isCurrent(first)).toBe(true)
      expect(subjects.of(ann)).toBe(first)
    }
    expect(openSubject(keys, rowOf(first))).toMatchObject(ann)
  })

  test('that is about to be deleted seals no more, and all others do', () => {
    const subjects = make()
    const [first, other] = [stored(subjects, ann), stored(subjects, bob)]
    subjects.confirm([first.id], momentOf(clock))
    expect(subjects.isCurrent(first)).toBe(false)
    expect(subjects.of(ann).id).not.toBe(first.id)
    expect(subjects.isCurrent(subjects.of(ann))).toBe(true)
    expect(subjects.of(bob)).toBe(other)
  })

  test('of an earlier boot is taken up, but for one that is about to be deleted', () => {
    const rows = [ann, bob].map(who => rowOf(make().of(who)))
    const subjects = make(rows)
    subjects.confirm([rows[0]!.id], momentOf(clock))
    expect(subjects.of(ann).id).not.toBe(rows[0]!.id)
    expect(subjects.of(bob).id).toBe(rows[1]!.id)
  })

  test.each([
    ['the store is not heard for so long', () => pass(LEASE_MS + 1)],
    ['the machine slept', () => (time = { ...time, now: time.now + LEASE_MS + 1 })],
    ['the clock was set back', () => (time = { ...time, now: time.now - LEASE_MS - 1 })],
  ])('that is stored lapses where %s', (_why, happen) => {
    const subjects = make([rowOf(make().of(bob))])
    const first = stored(subjects, ann)
    happen()
    expect(subjects.isCurrent(first)).toBe(false)
    const next = stored(subjects, ann)
    expect(next.id).not.toBe(first.id)
    expect(subjects.isCurrent(next)).toBe(true)
    // Nor does what was heard too late bring it back.
    subjects.confirm([], momentOf(clock))
    expect(subjects.isCurrent(first)).toBe(false)
    expect(subjects.of(ann)).toBe(next)
  })

  test('that was never stored cannot have been deleted: it stays, so that an outage makes no new one with each call', () => {
    const subjects = make()
    const first = subjects.of(ann)
    for (let i = 0; i < 5; i++) {
      pass(LEASE_MS * 2)
      expect(subjects.of(ann)).toBe(first)
      expect(subjects.isCurrent(first)).toBe(true)
    }
  })
})

test('a key made in an outage that outlasted its lease, and stored when the store was back, gives way to one that seals', () => {
  const subjects = make()
  stored(subjects, ann)
  pass(LEASE_MS + 1)
  const made = subjects.of(ann)
  pass(LEASE_MS + 1)
  subjects.of(ann)
  made.stored = true
  subjects.confirm([], momentOf(clock))
  expect(subjects.isCurrent(subjects.of(ann))).toBe(true)
})
