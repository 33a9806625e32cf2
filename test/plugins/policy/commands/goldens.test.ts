// What the policy verbs print, word by word, for one folder of policy files.
import { describe, expect, test } from 'vitest'
import { createFolder, say } from '../../../core/commands/run-command.ts'
import { readGoldens } from '../../../core/config/golden.ts'
import { files } from './folder.ts'

const folder = new URL('goldens', import.meta.url).pathname

/** Words of a shell line; single quotes keep spaces. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
}

describe('mcpgw policy', () => {
  test.each(readGoldens(folder))('$name', async ({ input, settle }) => {
    const dir = createFolder(files)
    let printed = ''
    for (const line of input.trim().split('\n')) {
      const { code, out, err } = await say(dir, wordsOf(line))
      printed += `$ ${line}\n${out}${err === '' ? '' : `--- stderr\n${err}`}--- exits with ${code}\n\n`
    }
    expect(printed).toBe(settle(printed))
  })
})
