// Golden files of one case each: the input, a line of dashes, the expected output. UPDATE_GOLDENS=1 rewrites them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const separator = '\n----------\n'

export interface Golden {
  readonly name: string
  readonly input: string
  readonly expected: string
  /** What the test compares with: the new text where goldens are being rewritten. */
  readonly settle: (actual: string) => string
}

export function readGoldens(folder: string): Golden[] {
  return readdirSync(folder)
    .sort()
    .map(name => {
      const path = join(folder, name)
      const [input = '', expected = ''] = readFileSync(path, 'utf8').split(separator)
      const settle = (actual: string): string => {
        if (process.env.UPDATE_GOLDENS !== '1') return expected
        writeFileSync(path, `${input}${separator}${actual}`)
        return actual
      }
      return { name, input, expected, settle }
    })
}
