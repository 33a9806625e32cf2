// The public surface, pinned: a name that appears, goes or moves is changed here on purpose, or by mistake not at all.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Packed, pack, root } from './packed-project.ts'

interface PackageJson {
  readonly [key: string]: unknown
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly scripts: Readonly<Record<string, string>>
}
const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson

/** Names that a hand-written index exports: those of values, and those of types alone. */
function readNames(file: string): { values: string[]; types: string[] } {
  const values: string[] = []
  const types: string[] = []
  const text = readFileSync(join(root, file), 'utf8')
  expect(text).not.toMatch(/export \*/)
  for (const [, onlyTypes, list = ''] of text.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
    for (const name of list.split(',').map(one => one.trim())) {
      if (name === '') continue
      const bare = name.replace(/^type /, '')
      ;(onlyTypes !== undefined || bare !== name ? types : values).push(bare)
    }
  }
  return { values: values.toSorted(), types: types.toSorted() }
}

const words = (text: string): string[] => text.trim().split(/\s+/)

describe('mcpgw', () => {
  test('exports what an embedder needs', async () => {
    const names = readNames('core/index.ts')
    expect(names.values).toEqual([
      'builtInPlugins',
      'createLog',
      'createSecretStore',
      'errors',
      'isErrorCode',
      'loadConfig',
      'openGateway',
      'renderDiagnostics',
      'renderReport',
    ])
    expect(names.types).toEqual(
      words(`
        BootReport ChildServer ConfiguredServer Diagnostic DiagnosticCode ErrorCode ErrorEntry Finding FindingCode Gateway GatewayConfig InnerServer
        Kernel LimitsConfig ListenConfig LoadOptions LoadResult Loaded LogLevel LogOptions OpenGateway OpenOptions
        OpenResult PluginEntry RemoteServer RootLog SecretFault SecretOptions SecretStore SecretsConfig SecretsPlace
        ServerConfig ServerLimits ServerTimeouts SourcePosition StopReport Unenforced
      `),
    )
    expect(Object.keys(await import('../core/index.ts')).toSorted()).toEqual(names.values)
  })
})

describe('mcpgw/plugin', () => {
  test('exports the contract', async () => {
    const names = readNames('core/plugin/index.ts')
    expect(names.values).toEqual(
      words(`
        DecisionBasis Detectors Directory ExactNumber Masking Outcomes Recording Usage alignColumns allow answer canonicalText compileGlob createConditions createTurns defineOperation definePlugin deny drop identify innerAddress mayOthersRead mayOthersWrite modeText nameOf narrow networkOf pass
        printable readAddress readDuration readOwnFile readRanges refuseOtherTenant rewrite service strangerOf suggest writeCsvRow writeDuration
      `),
    )
    expect(names.types).toEqual(
      words(`
        AddressRanges AdminEvent Allow Answer AnswerVerdict ApartIo ApartJob ApartWork Append Asker Awaitable Capability Clock Command CommandIo ConfiguredCommand ConnectionVerdict
        CsvCell Database Decision Deny DescribedSchema DetectedSpan DischargeStage DischargeVerdict Drop DurableOutcome DurationForm DurationUnit Erased Exchange ExplainedCode FileOwnership GatewayFacts Governed GroupWriter Hooks Identify InspectOptions
        InspectedItem InspectedServer Inspection JsonArray JsonObject JsonValue ListItem ListVerdict Log Metrics Migrations Narrow Notification NotificationVerdict Obligation
        OpenOptions Operation OperationAnswer Operator Outcome OutcomePage Outgoing OutgoingAnswer OutgoingRequest OwnFile OwnFileForm Pass Payload Peer PeerCertificate PeerRequest Person PersonalData PersonalHolder PersonalIo Plugin PluginContext Postgres Principal Rate ReadSoFar RecordReader RecordReaderIo Redis RedisReply RedisState Refused RequestVerdict Resource ResponseVerdict
        Rewrite SealedVerdict ServerChange Service SqlRow SqlValue StandaloneCommand StandaloneIo StandardIssue StandardResult StandardSchemaV1 Statement Stores TellCondition TextDetector Turns UsageRow
      `),
    )
    expect(Object.keys(await import('../core/plugin/index.ts')).toSorted()).toEqual(names.values)
  })

  test('needs nothing at run time but what Node.js has', () => {
    const folder = join(root, 'core/plugin')
    const foreign = readdirSync(folder).flatMap(file => [...readFileSync(join(folder, file), 'utf8').matchAll(/from '(?!\.\/)([^']+)'/g)])
    expect(foreign.map(([, from]) => from)).toEqual(['node:net', 'node:fs', 'node:fs'])
  })
})

describe('mcpgw/testing', () => {
  test('exports the test kit', async () => {
    const names = readNames('core/testing/index.ts')
    expect(names.values).toEqual(
      words(`
        checkPlugin createFakeClock createFakeUpstream createTemporaryStores harness runCommand upstreamError
      `),
    )
    expect(names.types).toEqual(
      words(`
        AnyPlugin CallOptions Called Check CheckOptions CommandOptions FakeClock FakeUpstream Given Handler Harness
        HarnessOptions LogLine Received Reply Said TemporaryStores
      `),
    )
    expect(Object.keys(await import('../core/testing/index.ts')).toSorted()).toEqual(names.values)
  })
})

describe('mcpgw/plugins/*', () => {
  const folders = readdirSync(join(root, 'plugins'))

  test('are these, each its definition alone, under the name of its folder', async () => {
    expect(folders.toSorted()).toEqual([
      'approval',
      'audit',
      'auth',
      'cache',
      'ipfilter',
      'meter',
      'policy',
      'ratelimit',
      'redact',
      'stripe',
    ])
    for (const folder of folders) {
      const module = (await import(join(root, 'plugins', folder, 'index.ts'))) as { default: { name: string } }
      expect(Object.keys(module)).toEqual(['default'])
      expect(module.default.name).toBe(folder)
    }
  })

  test('each has a page', () => {
    for (const folder of folders) expect(readFileSync(join(root, 'plugins', folder, 'README.md'), 'utf8')).toMatch(`# ${folder}\n`)
  })
})

describe('package.json', () => {
  test('exports these paths, each with types and a build', () => {
    expect(Object.keys(packageJson.exports)).toEqual(['.', './plugin', './testing', './policy', './plugins/*', './package.json'])
    for (const target of Object.values(packageJson.exports)) {
      if (typeof target === 'string') continue
      expect(Object.keys(target)).toEqual(['mcpgw-source', 'types', 'default'])
      for (const path of Object.values(target)) {
        const file = join(root, path.replace('*', 'audit'))
        expect(existsSync(file), file).toBe(true)
      }
    }
  })

  test('installs these commands, and asks for this Node', () => {
    expect(packageJson.bin).toEqual({ mcpgw: 'dist/core/cli.js', 'mcp-gateway': 'dist/core/cli.js' })
    expect(packageJson.engines).toEqual({ node: '>=20.19' })
    expect(readFileSync(join(root, 'dist/core/cli.js'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  test('runs no script at install, and pins every dependency', () => {
    expect(Object.keys(packageJson.scripts).filter(name => /install|^prepare$/.test(name))).toEqual([])
    const exact = /^(?:npm:@?[\w./-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/
    const { dependencies, devDependencies } = packageJson as unknown as Record<string, Record<string, string>>
    for (const version of Object.values({ ...dependencies, ...devDependencies })) expect(version).toMatch(exact)
  })

  test('has the scripts that the documentation names', () => {
    const named = [
      'build',
      'start',
      'types',
      'lint',
      'format',
      'test',
      'test:update',
      'test:conformance',
      'test:policy',
      'check',
      'chaos',
      'fuzz',
      'soak',
      'bench',
    ]
    expect(Object.keys(packageJson.scripts)).toEqual([...named, 'prepack'])
  })
})

describe('the tarball', () => {
  let packed: Packed
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mcpgw-pack-'))
    packed = pack(root, folder)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('holds the build of every source, the documentation, and nothing else', () => {
    const sources = ['core', 'plugins', 'dsl'].flatMap(top =>
      readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
        .filter(file => file.endsWith('.ts'))
        .map(file => `dist/${top}/${file.replace(/\.ts$/, '')}`),
    )
    // `mcpgw explain` reads the codes of policies from their page.
    const documents = [
      'CHANGELOG.md',
      'LICENSE',
      'PLUGINS.md',
      'README.md',
      'dsl/DIAGNOSTICS.md',
      'dsl/README.md',
      'package.json',
      'plugins/audit/COMPLIANCE.md',
      'plugins/audit/README.md',
    ]
    const migrations = readdirSync(join(root, 'plugins'), { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.sql'))
      .map(file => `dist/plugins/${file}`)
    expect(migrations).toHaveLength(13)
    const demo = readdirSync(join(root, 'core/demo'))
      .filter(file => !file.endsWith('.ts'))
      .map(file => `dist/core/demo/${file}`)
    expect(demo).toContain('dist/core/demo/starter.policy')
    const built = [...migrations, ...demo, ...sources.flatMap(file => [`${file}.d.ts`, `${file}.js`])]
    expect(packed.files.toSorted()).toEqual([...documents, ...built].toSorted())
  })
})
