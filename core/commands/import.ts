// `mcpgw import`: the servers that clients have, into the config. It shows what it would do, and writes after a yes.
import { relative, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { renderDiagnostics } from '../config/render.ts'
import { hideInUrl, hideInWords } from './clients/secret-values.ts'
import { homeOf } from './clients/table.ts'
import { collect, type Found } from './import/collect.ts'
import { makePlan, type Plan, writePlan } from './import/plan.ts'
import { type Translated, translate } from './import/translate.ts'
import { textOption, type VerbIo } from './verb.ts'

export async function importServers(io: VerbIo): Promise<number> {
  const file = typeof io.args[0] === 'string' ? resolve(io.cwd, io.args[0]) : undefined
  const found = await collect(io, file)
  for (const { problem } of found)
    if (problem !== undefined) io.err(`${file === undefined ? 'warning' : 'error'}[client-file]: ${problem}\n`)
  if (file !== undefined && found[0]?.problem !== undefined) return 2
  const home = homeOf(io)
  const folders = { workspaceFolder: io.cwd, cwd: io.cwd, userHome: home, 'env:HOME': home, HOME: home }
  const servers = found.flatMap(one => one.servers.map(server => translate(server, folders)))
  const config = resolve(io.cwd, textOption(io, 'config') ?? 'mcpgw.yaml')
  try {
    const plan = await makePlan(io, config, servers)
    if ('diagnostics' in plan) {
      io.err(renderDiagnostics(plan.diagnostics, io.color.err))
      return 2
    }
    const may = plan.added.length > 0 ? await mayWrite(io, found, plan) : 'unasked'
    const isWritten = may === 'yes' || may === 'asked-yes'
    if (isWritten) await writePlan(io, plan)
    tell(io, found, plan, { isWritten, isShown: may.startsWith('asked') })
    return plan.added.length === 0 && plan.kept.length === 0 ? 1 : 0
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    io.err(`error[cannot-write]: ${error.message}\n`)
    return 3
  }
}

/** Nothing is written that nobody has seen and said yes to. */
async function mayWrite(io: VerbIo, found: readonly Found[], plan: Plan): Promise<'yes' | 'unasked' | 'asked-yes' | 'asked-no'> {
  if (io.options.dryRun === true) return 'unasked'
  if (io.options.yes === true) return 'yes'
  if (!io.interactive || !process.stdin.isTTY || io.json) return 'unasked'
  io.err(render(io, found, plan))
  const asked = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await asked.question('\nWrite this? [y/N] ', { signal: io.signal })).trim()) ? 'asked-yes' : 'asked-no'
  } catch (error) {
    if (io.signal.aborted) return 'asked-no'
    throw error
  } finally {
    asked.close()
  }
}

function tell(
  io: VerbIo,
  found: readonly Found[],
  plan: Plan,
  { isWritten, isShown }: { readonly isWritten: boolean; readonly isShown: boolean },
): void {
  if (io.json) {
    const files = found.map(({ title, file, servers, left }) => ({ client: title, file, servers: servers.map(({ name }) => name), left }))
    const added = plan.added.map(({ item, secrets, ...rest }) => ({
      ...rest,
      server: shown(item),
      secrets: secrets.map(({ name, place }) => ({ name, place })),
    }))
    io.out(
      `${JSON.stringify({ found: files, config: plan.config, isNew: plan.isNew, added, kept: plan.kept, written: isWritten }, null, 2)}\n`,
    )
    return
  }
  if (!isShown) io.out(render(io, found, plan))
  if (isWritten) {
    io.err(
      `\nwrote ${relative(io.cwd, plan.config)}${plan.backup === undefined ? '' : `; what was there is in ${relative(io.cwd, plan.backup)}`}\n`,
    )
    io.err('\nNext: mcpgw doctor | run | connect CLIENT --only\n')
  } else if (plan.added.length > 0) io.err('\nNothing is written. mcpgw import --yes writes it\n')
}

function render(io: VerbIo, found: readonly Found[], { added, kept, config, isNew, secretsDir }: Plan): string {
  const lines = found.map(({ title, file, servers, left, problem }) => {
    const rest = left.map(one => `\n        left out: ${one}`).join('')
    return `found   ${title}: ${file}${problem === undefined ? `, ${servers.length} ${servers.length === 1 ? 'server' : 'servers'}` : ''}${rest}`
  })
  if (found.length === 0) lines.push('found   no client has a file here; name one: mcpgw import FILE')
  for (const one of added) lines.push(...renderAdded(one, relative(io.cwd, secretsDir)))
  for (const one of kept) lines.push(`keep    ${one.id}  ${one.why}`)
  if (added.length > 0) {
    lines.push(
      `write   ${relative(io.cwd, config)}  ${isNew ? 'new, with main.policy; policies are observed at first' : 'the servers above are added, all else stays'}`,
    )
    if (isNew) lines.push('        what main.policy would deny is let through and recorded, until `mode: observe` is taken out')
    else lines.push('        mcpgw run --observe shows what its policies would deny')
  }
  return `${lines.join('\n')}\n`
}

function renderAdded({ id, from, item, secrets, notes }: Translated, secretsDir: string): readonly string[] {
  const { command, args, url } = shown(item)
  const target = url ?? [command, ...(args ?? [])].join(' ')
  return [
    `add     ${id}  ${target}  (${from})`,
    ...secrets
      .filter(({ value }) => value !== undefined)
      .map(({ name, place }) => `        secret: ${place} goes to ${secretsDir}/${name}`),
    ...notes.map(note => `        note: ${note}`),
  ]
}

interface Shown {
  readonly command?: string
  readonly args?: readonly string[]
  readonly url?: string
}

/** What looks like a secret stays where it is, but is not printed. */
function shown(item: Translated['item']): Shown {
  const { args, url } = item as Shown
  return { ...item, ...(args && { args: hideInWords(args) }), ...(url !== undefined && { url: hideInUrl(url) }) }
}
