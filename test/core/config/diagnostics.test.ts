// What people see when a config is wrong: every class of finding, as printed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../../core/config/load.ts'
import { renderDiagnostics } from '../../../core/config/render.ts'
import { readGoldens } from './golden.ts'

let cwd = ''
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'mcpgw-config-'))
})
afterAll(() => rmSync(cwd, { recursive: true }))

describe('a config that is wrong is told with place and caret', () => {
  for (const { name, input, settle } of readGoldens(fileURLToPath(new URL('goldens', import.meta.url)))) {
    test(name, async () => {
      const file = name.startsWith('older') ? 'gateway.yaml' : 'mcpgw.yaml'
      writeFileSync(join(cwd, file), input)
      const getSecret = async (secret: string) => (secret === 'known' ? 'the value of the secret' : undefined)
      const result = await loadConfig({ file, env: { SET: 'set' }, cwd, getSecret })
      expect(result.ok).toBe(false)
      const printed = result.ok ? '' : renderDiagnostics(result.diagnostics, false)
      expect(printed).toBe(settle(printed))
      // Invariant: an error never repeats a secret, nor a control character of the file.
      expect(printed).not.toContain('the value of the secret')
      expect(printed.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    })
  }
})
