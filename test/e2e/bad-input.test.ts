// What the product says to bad input, word for word, with its exit code: one golden a case, command and files above, output below.
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readGoldens } from '../core/config/golden.ts'
import { createFolder, isBuilt, runCli } from './product.ts'

const FOLDER = fileURLToPath(new URL('bad-input', import.meta.url))

/** `$ mcpgw WORDS`, then each file below a line `=== NAME`. */
function readCase(input: string): { words: string[]; files: Record<string, string> } {
  const [command = '', ...parts] = input.split(/^=== /m)
  const files = parts.map(part => {
    const end = part.indexOf('\n')
    return [part.slice(0, end < 0 ? part.length : end), end < 0 ? '' : part.slice(end + 1)]
  })
  return { words: command.trim().split(' ').slice(2), files: Object.fromEntries(files) }
}

describe.skipIf(!isBuilt)('bad input', () => {
  for (const { name, input, settle } of readGoldens(FOLDER)) {
    test(name.replace('.txt', ''), () => {
      const { words, files } = readCase(input)
      const dir = createFolder(files)
      const { code, out, err } = runCli(words, dir, { STRIPE_SECRET_KEY: 'sk-never-shown-8274' })
      // Log lines have a time of day.
      const said = err.replaceAll(dir, 'DIR').replaceAll(/^\{"level".*\n/gm, '')
      const printed = `exit ${code}\n${said}`
      expect(printed).toBe(settle(printed))
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).not.toContain('sk-never-shown-8274')
    })
  }

  test('a port in use is exit 2 and named', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void holder.close())
    await new Promise(resolve => holder.once('listening', resolve))
    const { port } = holder.address() as { port: number }
    const { code, err } = runCli(['run', '--plugin', 'audit', '--http', `127.0.0.1:${port}`], createFolder())
    expect(code, err).toBe(2)
    const message = `error[listen-failed]: cannot listen on 127.0.0.1:${port}: the port is in use\n --> --http\n`
    expect(err).toContain(`${message} = help: choose another with \`listen\` or --http HOST:PORT\n`)
  })

  test('the older gateway.yaml is shown whole, and its secrets are not', () => {
    const golden = readGoldens(FOLDER).find(one => one.name === 'older-example.txt')
    const dir = createFolder(readCase(golden?.input ?? '').files)
    const { code, out, err } = runCli(['config', 'show', '--json'], dir, { STRIPE_SECRET_KEY: 'sk-never-shown-8274' })
    expect(code, err).toBe(0)
    const { config } = JSON.parse(out) as { config: { servers: { id: string }[]; plugins: unknown[] } }
    expect(config.servers.map(server => server.id)).toEqual(['mcp-fred', 'mcp-stripe'])
    expect(config.plugins).toHaveLength(5)
    expect(out + err).not.toMatch(/sk-never-shown-8274|gw_your_key_here/)
  })
})
