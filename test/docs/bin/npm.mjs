#!/usr/bin/env node
// `npm` as the blocks of the documentation call it: what would need a network, or would build below the feet of other tests, is checked
// instead of run; what is left runs.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const [verb, ...words] = process.argv.slice(2)

function refuse(why) {
  process.stderr.write(`npm ${[verb, ...words].join(' ')}: ${why}\n`)
  process.exit(64)
}

function install() {
  // Of the project itself, with its lock file: the first word of the two commands of the README.
  if (words.length === 0 && existsSync(`${root}package-lock.json`)) return
  const flags = words.filter(word => word.startsWith('-'))
  // The documentation promises it: exact versions, and no script of a plugin at installation.
  if (!flags.includes('--ignore-scripts') || !flags.includes('--save-exact')) refuse('without --save-exact --ignore-scripts')
}

function runReal(words, cwd, more = {}) {
  const env = { ...process.env, ...more, PATH: process.env.REAL_PATH }
  process.exit(spawnSync('npm', words, { stdio: 'inherit', cwd, env }).status ?? 70)
}

switch (verb) {
  case 'run':
    if (!Object.hasOwn(scripts, words[0])) refuse('there is no such script')
    break
  case 'start':
    if (scripts.start !== 'node dist/core/cli.js run') refuse('starts something else')
    process.exit(spawnSync('mcpgw', ['run'], { stdio: 'inherit' }).status ?? 70)
    break
  case 'install':
    install()
    break
  case 'test':
    process.exit(spawnSync(process.execPath, ['--test'], { stdio: 'inherit' }).status ?? 70)
    break
  case 'link':
    // In a home of its own: nobody's commands are replaced.
    runReal([verb, '--offline', '--ignore-scripts', ...words], root, { npm_config_prefix: `${process.env.HOME}/prefix` })
    break
  case 'pack':
    runReal([verb, ...words], process.cwd())
    break
  default:
    refuse('no block may call this')
}
