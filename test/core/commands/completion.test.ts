// Completion is of the table of commands: bash with it completes every one, and the scripts for zsh and fish say the same words.
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { listNodes } from '../../../core/commands/completion/nodes.ts'
import { coreVerbs } from '../../../core/commands/table.ts'
import type { Verb } from '../../../core/commands/verb.ts'
import { createFolder, say } from './run-command.ts'

const scriptFor = async (shell: string): Promise<string> => {
  const { code, out } = await say(createFolder(), ['completion', shell])
  expect(code).toBe(0)
  return out
}

/** What bash offers after each of the lines. */
function complete(script: string, lines: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const asks = lines.map(words => {
    const typed = ['mcpgw', ...words].map(word => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
    return `COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; COMPREPLY=(); _mcpgw; echo "\${COMPREPLY[*]}"`
  })
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-euc', `${script}\n${asks.join('\n')}`], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
    .replace(/\n$/, '')
    .split('\n')
    .map(line => line.split(' ').filter(word => word !== ''))
}

describe('bash', () => {
  test('knows the words, the options and the choices, also behind options and of plugins', async () => {
    const script = await scriptFor('bash')
    const [first, started, audit, more, options, client, deep, nothing, quoted] = complete(script, [
      [''],
      ['se'],
      ['audit', ''],
      ['audit', 've'],
      ['audit', 'log', '--st'],
      ['connect', 'c'],
      ['-c', 'x.yaml', 'audit', 'hold', ''],
      ['run', 'x'],
      ["it's", '$(touch never)'],
    ])
    for (const { path } of coreVerbs) expect(first).toContain(path[0])
    expect(started).toEqual(['serve', 'servers'])
    expect(audit).toEqual(expect.arrayContaining(['drill', 'log', 'verify']))
    expect(more).toEqual(['verify'])
    expect(options).toEqual(['--status'])
    expect(client).toEqual(['claude', 'claude-code', 'cursor'])
    expect(deep).toEqual(['add', 'list', 'remove'])
    expect([nothing, quoted]).toEqual([[], []])
  })

  test('is taken by eval, as its first line says, and offers files where it knows no word', async () => {
    const script = await scriptFor('bash')
    expect(script).toMatch(/^# .*eval "\$\(mcpgw completion bash\)"\n/)
    const { status, stdout } = spawnSync('bash', ['--norc', '-euc', 'eval "$SCRIPT"; complete -p mcpgw mcp-gateway'], {
      encoding: 'utf8',
      env: { SCRIPT: script, PATH: process.env.PATH },
    })
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: 'complete -o default -F _mcpgw mcpgw\ncomplete -o default -F _mcpgw mcp-gateway\n',
    })
  })
})

test('a command with an apostrophe, a colon or a backslash in its summary breaks no script', async () => {
  const verb: Verb = { path: ['odd'], summary: `it's a: "b" \\ $(c)`, examples: [], load: async () => async () => 0 }
  const nodes = listNodes([verb])
  const { bashScript } = await import('../../../core/commands/completion/bash.ts')
  const { zshScript } = await import('../../../core/commands/completion/zsh.ts')
  const { fishScript } = await import('../../../core/commands/completion/fish.ts')
  expect(complete(bashScript(nodes), [['o']])).toEqual([['odd']])
  expect(zshScript(nodes)).toContain(String.raw`'odd:it'\''s a: "b" \ $(c)'`)
  expect(fishScript(nodes)).toContain(String.raw`-a 'odd' -d 'it\'s a: "b" \\ $(c)'`)
})

test.each(['zsh', 'fish'])('%s has every command and option that bash has', async shell => {
  const [bash, other] = [await scriptFor('bash'), await scriptFor(shell)]
  const words = new Set(
    [...bash.matchAll(/^ {6}(?:words|options)='(.*)'$/gm)].flatMap(([, list]) => list!.split(' ')).filter(word => word !== ''),
  )
  expect(words.size).toBeGreaterThan(80)
  const missing = [...words].filter(
    word => !(shell === 'zsh' ? other.includes(`'${word}:`) : other.includes(`'${word.replace(/^--/, '')}'`)),
  )
  expect(missing).toEqual([])
})

test('a shell that there is no script for is a mistake', async () => {
  const { code, err } = await say(createFolder(), ['completion', 'tcsh'])
  expect(code).toBe(2)
  expect(err).toContain('Allowed choices are bash, zsh, fish')
})

/** A small table: the scripts for shells that are not on every machine, word for word. */
const few: readonly Verb[] = [
  {
    path: ['run'],
    alias: 'serve',
    summary: 'Run it',
    options: [{ flags: '--stdio', summary: 'for one client' }],
    examples: [],
    load: never,
  },
  {
    path: ['audit', 'log'],
    summary: 'Show records',
    options: [{ flags: '-n, --limit <n>', summary: 'how many' }],
    examples: [],
    load: never,
  },
  {
    path: ['connect'],
    summary: 'Point a client',
    args: [{ name: '<client>', summary: 'which', choices: ['cursor'] }],
    examples: [],
    load: never,
  },
]
async function never(): Promise<never> {
  throw new Error('completion runs no command')
}

test.each(['bash', 'zsh', 'fish'])('the script for %s of a small table is this one', async shell => {
  const { [`${shell}Script`]: make } = (await import(`../../../core/commands/completion/${shell}.ts`)) as Record<
    string,
    (nodes: unknown) => string
  >
  await expect(make!(listNodes(few))).toMatchFileSnapshot(`completion/small.${shell}`)
})
