// What an import comes to: which servers are new, the text of the config with them, proven to load; and how it is written.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { Diagnostic } from '../../config/diagnostic.ts'
import { checkConfig } from '../../config/file.ts'
import { parseJson, parseYaml } from '../../config/parse.ts'
import { defaults } from '../../config/schema.ts'
import { find, toValue } from '../../config/tree.ts'
import { createSecretStore } from '../../secrets.ts'
import { keepBackup, readWhole, replaceFile } from '../clients/replace.ts'
import { createProject, schemaFile, template } from '../init.ts'
import { textOption, type VerbIo } from '../verb.ts'
import { insertServers } from './insert.ts'
import type { Translated } from './translate.ts'

export interface Plan {
  readonly config: string
  readonly isNew: boolean
  readonly text: string
  readonly added: readonly Translated[]
  readonly kept: readonly { readonly id: string; readonly why: string }[]
  readonly secretsDir: string
  /** Where what was there goes. */
  backup?: string
}

type Asker = Pick<VerbIo, 'cwd' | 'env' | 'options'>

export async function makePlan(
  io: Asker,
  config: string,
  servers: readonly Translated[],
): Promise<Plan | { readonly diagnostics: readonly Diagnostic[] }> {
  const before = await readWhole(config)
  const text = before ?? template(relative(dirname(config), schemaFile(io)), true)
  const isJson = /\.jsonc?$/.test(config)
  const fail = (message: string): { readonly diagnostics: readonly Diagnostic[] } => ({
    diagnostics: [{ code: 'bad-value', severity: 'error', message, file: config }],
  })
  const { source, diagnostics } = isJson ? await parseJson({ file: config, text }) : await parseYaml({ file: config, text })
  if (source === undefined || diagnostics.length > 0) return { diagnostics }
  const there = find(source.root, ['servers'])
  if (there?.kind === 'map') return fail('`servers` is a map: this is no config of mcpgw')
  const taken = new Map(
    (there === undefined ? [] : ((toValue(there) as { readonly id?: string }[] | null) ?? [])).map(one => [
      String(one.id).toLowerCase(),
      '',
    ]),
  )
  const added: Translated[] = []
  const kept: { id: string; why: string }[] = []
  for (const one of servers) {
    const first = added.find(({ id }) => id.toLowerCase() === one.id.toLowerCase())
    if (taken.has(one.id.toLowerCase())) kept.push({ id: one.id, why: 'stands in the config already' })
    else if (first === undefined) added.push(one)
    else
      kept.push({
        id: one.id,
        why: isSame(first, one) ? `of ${one.from} is the same` : `of ${one.from} is another one: add it by hand under another id`,
      })
  }
  const data = textOption(io, 'dataDir') ?? storeDir(toValue(source.root)) ?? defaults.dataDir
  const secretsDir = join(resolve(dirname(config), data), 'secrets')
  if (find(source.root, ['secrets', 'command']) !== undefined && added.some(({ secrets }) => secrets.length > 0))
    return fail('secrets come from a command (`secrets.command`), where import cannot write them')
  const named = await nameSecrets(added, secretsDir)
  const inserted = insertServers(
    text,
    named.map(({ item }) => item),
  )
  if ('problem' in inserted) return fail(inserted.problem)
  const problems = await prove(io, config, inserted.text, isJson, named)
  if (problems.length > 0) return { diagnostics: problems }
  return { config, isNew: before === undefined, text: inserted.text, added: named, kept, secretsDir }
}

function isSame(a: Translated, b: Translated): boolean {
  return JSON.stringify([a.item, a.secrets]) === JSON.stringify([b.item, b.secrets])
}

function storeDir(config: unknown): string | undefined {
  const dir = (config as { readonly store?: { readonly dir?: unknown } } | null)?.store?.dir
  return typeof dir === 'string' ? dir : undefined
}

/** A secret that is there with another value keeps its name; the new one gets another. */
async function nameSecrets(added: readonly Translated[], dir: string): Promise<Translated[]> {
  const store = createSecretStore({ dir })
  const used = new Map<string, string | undefined>()
  const freeName = async (name: string, value: string | undefined): Promise<string> => {
    for (let at = 1; ; at++) {
      const tried = at === 1 ? name : `${name}-${at}`
      const stored = await store.get(tried)
      const known = used.has(tried) ? used.get(tried) : typeof stored === 'string' ? stored : undefined
      const isFree = !used.has(tried) && typeof stored !== 'string' && stored.code === 'not-found'
      if (isFree || known === value) {
        used.set(tried, value)
        return tried
      }
    }
  }
  const named: Translated[] = []
  for (const one of added) {
    let text = JSON.stringify(one.item)
    const secrets = []
    for (const secret of one.secrets) {
      const name = await freeName(secret.name, secret.value)
      text = text.replaceAll(`\${secret:${secret.name}}`, `\${secret:${name}}`)
      secrets.push({ ...secret, name })
    }
    named.push({ ...one, item: JSON.parse(text) as Translated['item'], secrets })
  }
  return named
}

/** What would be written loads: only what the environment lacks now is not for this. */
async function prove(
  io: Asker,
  config: string,
  text: string,
  isJson: boolean,
  added: readonly Translated[],
): Promise<readonly Diagnostic[]> {
  const { source, diagnostics } = isJson ? await parseJson({ file: config, text }) : await parseYaml({ file: config, text })
  if (source === undefined) return diagnostics
  const known = new Map(added.flatMap(({ secrets }) => secrets.map(({ name, value }) => [name, value ?? 'to-be-written'])))
  const checked = await checkConfig(source, config, {
    env: io.env,
    getSecret: async name => known.get(name) ?? 'stands-there-already',
    allowsSecret: path => path[0] !== 'servers' || path[2] === 'env' || path[2] === 'headers' || path[2] === 'auth',
  })
  return [...diagnostics, ...checked.diagnostics].filter(({ severity, code }) => severity === 'error' && code !== 'unset-variable')
}

/** Secrets first: a config that names them is never there without them. */
export async function writePlan(io: Pick<VerbIo, 'cwd' | 'options'>, plan: Plan): Promise<void> {
  await mkdir(plan.secretsDir, { recursive: true, mode: 0o700 })
  for (const { name, value } of plan.added.flatMap(({ secrets }) => secrets)) {
    if (value === undefined) continue
    await writeFile(join(plan.secretsDir, name), value, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
      // The same value, as was looked at.
      if (error.code !== 'EEXIST') throw error
    })
  }
  if (plan.isNew) {
    await createProject(io, plan.config, () => plan.text)
    return
  }
  plan.backup = await keepBackup(plan.config, (await readWhole(plan.config)) ?? '')
  await replaceFile(plan.config, plan.text, 0o755)
}
