// Notes as C2SP signed-note has them: others can read ours, and we theirs.
import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openNote, readVerifier, signerOf, signNote, verifierText } from '../../../plugins/audit/note.ts'

const pem = (): string => generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()

test('the example of the specification is opened', () => {
  const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
  const note = `${text}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`
  const trusted = readVerifier('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')!
  expect(openNote(note, trusted)).toBe(text)
  expect(openNote(note.replace('answer', 'Answer'), trusted)).toBeUndefined()
})

test('what was signed is opened by the verifier of its key, and by no other; a changed character is seen', () => {
  const signer = signerOf('audit', pem())
  const trusted = readVerifier(verifierText(signer))!
  const other = readVerifier(verifierText(signerOf('audit', pem())))!
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ minLength: 1 }).filter(line => !/[\n\u2014]/.test(line)),
        { minLength: 1 },
      ),
      fc.nat(),
      (lines, at) => {
        const text = `${lines.join('\n')}\n`
        const note = signNote(signer, text)
        expect(openNote(note, trusted)).toBe(text)
        expect(openNote(note, other)).toBeUndefined()
        const i = at % text.length
        const changed = note.slice(0, i) + (note[i] === 'x' ? 'y' : 'x') + note.slice(i + 1)
        expect(openNote(changed, trusted)).not.toBe(text)
      },
    ),
  )
})

test.each(['', 'audit', 'audit+00000000+AQ==', 'a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'])('%j is no verifier', text => {
  expect(readVerifier(text)).toBeUndefined()
})

test('a key of another kind signs nothing', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  expect(() => signerOf('audit', rsa)).toThrow('expected an Ed25519 key, found rsa')
})
