// The texts that are signed: a checkpoint and a tombstone say exactly what was written, are never taken for one another, and do not bear a changed character.
import { generateKeyPairSync, hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCheckpoint, type StreamState, writeCheckpoint } from '../../../plugins/audit/checkpoint.ts'
import { openCheckpoint, readRow, writeFrontier } from '../../../plugins/audit/checkpoint-row.ts'
import { readVerifier, signerOf, signNote, verifierText } from '../../../plugins/audit/note.ts'
import { openTombstone, readTombstone, readTombstoneRow, writeTombstone } from '../../../plugins/audit/tombstone.ts'
import { createTree, treeOf } from '../../../plugins/audit/tree.ts'

const leaves = (count: number): string[] => Array.from({ length: count }, (_, i) => hash('sha256', String(i), 'binary'))
const signer = signerOf('mcpgw/audit/test', generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
const trusted = [readVerifier(verifierText(signer))!]
const states: fc.Arbitrary<StreamState[]> = fc.uniqueArray(
  fc
    .record({ stream: fc.string({ minLength: 1, unit: 'grapheme' }).filter(text => !/\p{Cs}/u.test(text)), size: fc.nat(1000) })
    .map(one => ({ ...one, root: treeOf(leaves(one.size % 7)).root() })),
  { selector: one => one.stream, maxLength: 5 },
)

describe('a checkpoint', () => {
  test('in full', () => {
    const text = writeCheckpoint({
      origin: 'mcpgw/audit/0123456789abcdef',
      at: 1_800_000_000_000,
      streams: [{ stream: 'gw 1.b', size: 2, root: treeOf(leaves(2)).root() }],
    })
    expect(text).toBe(`mcpgw/audit/0123456789abcdef
1
X2OBwzZ28n+Xt7As00ji02FPy0lmuxXwyo4ghAFb7ZI=
at 1800000000000
stream gw%201.b 2 d1khpOQo1XaJVe5EDIHRk5YGQcOlssH3GRb86+KF4sU=
`)
  })

  test('says what was written, and no changed character is read as another checkpoint', () => {
    fc.assert(
      fc.property(states, fc.nat(4e12), fc.nat(), (streams, at, where) => {
        const checkpoint = { origin: 'mcpgw/audit/test', at, streams }
        const text = writeCheckpoint(checkpoint)
        expect(readCheckpoint(text)).toEqual(checkpoint)
        expect(readTombstone(text)).toBeUndefined()
        const note = signNote(signer, text)
        expect(openCheckpoint(note, trusted)).toEqual(checkpoint)
        const i = where % note.length
        const changed = note.slice(0, i) + String.fromCharCode(note.charCodeAt(i) ^ 1) + note.slice(i + 1)
        expect(openCheckpoint(changed, trusted)).toBeUndefined()
      }),
    )
  })

  test('of another origin than the name of its key is none of this log', () => {
    expect(openCheckpoint(signNote(signer, writeCheckpoint({ origin: 'other', at: 1, streams: [] })), trusted)).toBeUndefined()
  })
})

describe('a stored checkpoint', () => {
  const tree = treeOf(leaves(6))
  const row = {
    stream: 'a.b',
    size: 6,
    at: 77,
    frontier: writeFrontier(tree.frontier()),
    note: signNote(signer, writeCheckpoint({ origin: signer.name, at: 77, streams: [{ stream: 'a.b', size: 6, root: tree.root() }] })),
  }
  const read = (one: typeof row): unknown => readRow(one, note => openCheckpoint(note, trusted))

  test('goes on from its frontier', () => {
    const state = read(row) as { frontier: string[] }
    const grown = createTree(6, state.frontier)
    grown.add(leaves(7)[6]!)
    expect(grown.root()).toBe(treeOf(leaves(7)).root())
  })

  test.each([
    [{ stream: 'a.c' }, 'its note says nothing of this stream'],
    [{ size: 7 }, 'column size differs from its note'],
    [{ at: 78 }, 'column at differs from its note'],
    [{ frontier: row.frontier.replace(/^./, digit => (digit === '0' ? '1' : '0')) }, 'column frontier differs from its note'],
    [{ frontier: row.frontier.toUpperCase() }, 'column frontier differs from its note'],
    [{ frontier: row.frontier.slice(64) }, 'column frontier differs from its note'],
    [{ note: row.note.replace('77', '78') }, 'its note is not signed by a trusted key'],
  ])('with %j: %s', (change, what) => {
    expect(read({ ...row, ...change })).toBe(what)
  })
})

describe('a tombstone', () => {
  const tree = treeOf(leaves(6))
  const tombstone = { origin: signer.name, at: 5, stream: 'a b.c', through: 6, frontier: tree.frontier(), link: 'ab'.repeat(32) }
  const note = signNote(signer, writeTombstone(tombstone))
  const row = { stream: 'a b.c', through: 6, at: 5, link: tombstone.link, frontier: writeFrontier(tree.frontier()), note }

  test('says what was written, and is no checkpoint', () => {
    expect(openTombstone(note, trusted)).toEqual(tombstone)
    expect(openCheckpoint(note, trusted)).toBeUndefined()
    expect(readTombstoneRow(row, trusted)).toEqual(tombstone)
  })

  test.each([
    [{ stream: 'a' }, 'column stream differs from its note'],
    [{ through: 7 }, 'column through differs from its note'],
    [{ at: 6 }, 'column at differs from its note'],
    [{ link: 'ac'.repeat(32) }, 'column link differs from its note'],
    [{ frontier: '' }, 'column frontier differs from its note'],
    [{ note: note.replace('at 5', 'at 6') }, 'its note is not signed by a trusted key'],
  ])('with %j: %s', (change, what) => {
    expect(readTombstoneRow({ ...row, ...change }, trusted)).toBe(what)
  })
})
