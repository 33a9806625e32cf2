// The first five minutes, word for word: one golden a session, commands and files above, what the commands say below.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { readGoldens } from '../config/golden.ts'
import { createFolder, say } from './run-command.ts'

const FOLDER = fileURLToPath(new URL('transcripts', import.meta.url))
const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url))

/** `$ ` and a command line, one a line; then each file below a line `=== NAME`. */
function readSession(input: string): { lines: readonly string[]; files: Record<string, string> } {
  const [commands = '', ...parts] = input.split(/^=== /m)
  const files = parts.map(part => [part.split('\n', 1)[0]!, part.slice(part.indexOf('\n') + 1)])
  return { lines: commands.trim().split('\n'), files: Object.fromEntries(files) }
}

for (const { name, input, settle } of readGoldens(FOLDER)) {
  test(`${name.replace('.txt', '')} says what it said, and leaves nothing in the folder for what passes`, { timeout: 60_000 }, async () => {
    const { lines, files } = readSession(input)
    const dir = createFolder(files)
    const before = process.env.TMPDIR
    process.env.TMPDIR = createFolder()
    const temporary = process.env.TMPDIR
    onTestFinished(() => {
      if (before === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = before
    })
    let told = ''
    for (const line of lines) {
      const file = line.startsWith('$ cat ') ? readFileSync(join(dir, line.slice(6)), 'utf8') : undefined
      const { code, out, err } =
        file === undefined ? await say(dir, line.split(' ').slice(2), { HOME: dir }) : { code: 0, out: file, err: '' }
      told += `${line}\n${out}${err}${code === 0 ? '' : `exit ${code}\n`}`
    }
    const shown = told
      .replaceAll(dir, 'DIR')
      .replaceAll(process.execPath, 'NODE')
      .replaceAll(PACKAGE, 'PACKAGE/')
      .replaceAll(/mgk_[\w-]+/g, 'KEY')
      .replaceAll(/\d+ records, \d+ signed/g, 'N records, N signed')
      .replaceAll(/at record \d+/g, 'at record N')
    expect(shown).toBe(settle(shown))
    expect(readdirSync(temporary)).toEqual([])
  })
}

test('demo --json is one document of the same: each call with its rule and place, and the record that was changed', async () => {
  const { code, out } = await say(createFolder(), ['demo', '--json'])
  const { calls, record, next } = JSON.parse(out)
  expect(code).toBe(0)
  expect(calls.map(({ what, decision, status, rules }: never) => [what, decision, status, rules[0]])).toEqual([
    ['allow', 'allow', 'answered', { rule: 'use-notes', at: 'tour.policy:11' }],
    ['redact', 'allow', 'answered', { rule: 'look-up-customers', at: 'tour.policy:4' }],
    ['deny', 'deny', 'refused', { rule: 'keep-our-notes', at: 'tour.policy:17' }],
    ['tool error', 'allow', 'tool-error', { rule: 'look-up-customers', at: 'tour.policy:4' }],
    ['limit', 'deny', 'refused', { rule: 'look-up-customers', at: 'tour.policy:4' }],
  ])
  expect(out).not.toContain('ada.moreno@example.com')
  expect(record).toMatchObject({
    before: { verdict: 'consistent', broken: null },
    after: { verdict: 'broken', broken: { n: expect.any(Number) } },
  })
  expect(next).toEqual(['mcpgw init', 'mcpgw run', 'mcpgw import'])
}, 60_000)
