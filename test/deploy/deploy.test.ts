// examples/deploy, as far as a machine without Docker and Kubernetes can tell: configs load, keys are taken, names agree, the image's commands run.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { CLI, createFolder, isBuilt } from '../e2e/product.ts'
import { root } from '../packed-project.ts'
import { readChart, renderTemplate, usedValues } from './chart.ts'

// biome-ignore lint/suspicious/noExplicitAny: documents of others are looked into freely
type Any = any

const deploy = join(root, 'examples/deploy')
const read = (name: string): string => readFileSync(join(deploy, name), 'utf8')
const dockerfile = read('Dockerfile')
const compose = parse(read('docker-compose.yaml'), { merge: true }) as Any
const chart = readChart(join(deploy, 'helm/mcpgw'))
const rendered = new Map(
  [...chart.templates].map(([name, text]) => [name, parse(renderTemplate(text, { ...chart.values, serviceMonitor: true })) as Any]),
)
const MINUTES = 60_000

/** What start.sh makes of the keys that make-keys.sh made, and then the command on that config. */
function start(words: readonly string[], config: string): { code: number | null; said: string; data: string } {
  const dir = createFolder()
  execFileSync('sh', [join(deploy, 'make-keys.sh'), join(dir, 'mounted')])
  const data = join(dir, 'data')
  const env = {
    PATH: process.env.PATH,
    MCPGW_MOUNTED: join(dir, 'mounted'),
    MCPGW_DATA_DIR: data,
    MCPGW_CONFIG: config,
    POD_IP: '10.0.0.7',
  }
  const { status, stdout, stderr } = spawnSync('sh', [join(deploy, 'start.sh'), process.execPath, CLI, ...words], {
    cwd: dir,
    encoding: 'utf8',
    env,
  })
  return { code: status, said: stdout + stderr, data }
}

/** As Kubernetes mounts a ConfigMap: anybody may write to the folder, by its mode, and the files are links. */
function mountConfigMap(): string {
  const dir = createFolder()
  mkdirSync(join(dir, '..version'))
  symlinkSync('..version', join(dir, '..data'))
  for (const [name, text] of Object.entries(rendered.get('configmap.yaml').data as Record<string, string>)) {
    writeFileSync(join(dir, '..version', name), text)
    symlinkSync(join('..data', name), join(dir, name))
  }
  chmodSync(dir, 0o777)
  return join(dir, 'mcpgw.yaml')
}

describe.skipIf(!isBuilt)('the gateways of examples/deploy', () => {
  test.each<[string, () => string]>([
    ['docker-compose.yaml', () => join(deploy, 'mcpgw.yaml')],
    ['the chart', mountConfigMap],
  ])(
    'have a config that loads, with plugins in an order that holds and a policy without a finding: %s',
    (_, at) => {
      const config = at()
      const shown = start(['config', 'show', '--json'], config)
      expect(shown.code, shown.said).toBe(0)
      expect(shown.said).toContain('3100')
      const order = start(['plugins', 'order'], config)
      expect(order.code, order.said).toBe(0)
      const policy = start(['policy', 'check', join(config, '../main.policy')], config)
      expect(policy.code, policy.said).toBe(0)
    },
    2 * MINUTES,
  )

  test('take what is mounted with modes that nobody else may read, keys beside the data and secrets below it', () => {
    const { code, said, data } = start(['--version'], join(deploy, 'mcpgw.yaml'))
    expect(code, said).toBe(0)
    const modes = execFileSync('find', [data, '-printf', '%m %P\n'], { encoding: 'utf8' }).trim().split('\n').sort()
    const keys = ['audit.db.key', 'credentials.key', 'handles.key', 'keys.pepper', 'signing-key'].map(name => `600 ${name}`)
    const secrets = ['database-password', 'metrics-token', 'redis-password'].map(name => `600 secrets/${name}`)
    expect(modes).toEqual(['700 ', '700 secrets', ...keys, ...secrets].sort())
  })
})

describe('docker-compose.yaml', () => {
  const services = Object.entries(compose.services as Record<string, Any>)
  const made = [...read('make-keys.sh').matchAll(/^make (\S+) \w+$/gm)].map(([, name]) => name!)

  test('names only secrets, volumes, services and files that there are, and versions of images', () => {
    expect(Object.keys(compose.secrets).sort()).toEqual([...made].sort())
    for (const [name, secret] of Object.entries(compose.secrets as Record<string, Any>)) expect(secret.file).toBe(`secrets/${name}`)
    for (const [name, service] of services) {
      expect(service.image, name).toMatch(/:v?\d+\.\d+/)
      for (const secret of service.secrets ?? []) expect(made, name).toContain(secret)
      for (const other of Object.keys(service.depends_on ?? {})) expect(compose.services[other].healthcheck, other).toBeDefined()
      for (const mount of service.volumes ?? []) {
        const from = String(mount).split(':')[0]!
        expect(from.startsWith('.') ? existsSync(join(deploy, from)) : from in compose.volumes, from).toBe(true)
      }
    }
  })

  test('has gateways that are watched, known by their names, and given time to end', () => {
    const gateways = services.filter(([, { build }]) => build !== undefined).map(([name]) => name)
    expect(gateways).toEqual(['gateway-a', 'gateway-b'])
    const config = parse(read('mcpgw.yaml')) as Any
    expect(config.listen.hosts).toEqual(gateways)
    const watched = parse(read('prometheus.yaml')) as Any
    expect(watched.scrape_configs[0].static_configs[0].targets).toEqual(gateways.map(name => `${name}:3100`))
    for (const name of gateways) expect(Number.parseInt(compose.services[name].stop_grace_period, 10)).toBeGreaterThan(30)
  })
})

describe('the chart', () => {
  test('has values that its schema takes, and each is used', () => {
    const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(chart.schema)
    expect(validate(chart.values), JSON.stringify(validate.errors)).toBe(true)
    expect(validate({ ...chart.values, replica: 3 })).toBe(false)
    const used = usedValues(chart)
    const whole = [...used].map(path => path.split('.')[0]!)
    expect([...new Set(whole)].sort()).toEqual(Object.keys(chart.values).sort())
    expect([...used].filter(path => path.startsWith('image.')).sort()).toEqual(
      Object.keys(chart.values.image as object)
        .map(name => `image.${name}`)
        .sort(),
    )
  })

  test('renders documents that fit together: labels, ports, paths, and names of the secret', () => {
    const labels = { 'app.kubernetes.io/name': 'mcpgw', 'app.kubernetes.io/instance': 'mcpgw' }
    const { spec } = rendered.get('deployment.yaml')
    expect(spec.selector.matchLabels).toEqual(labels)
    expect(spec.template.metadata.labels).toEqual(labels)
    expect(rendered.get('service.yaml').spec.selector).toEqual(labels)
    expect(rendered.get('poddisruptionbudget.yaml').spec.selector.matchLabels).toEqual(labels)
    expect(rendered.get('networkpolicy.yaml').spec.podSelector.matchLabels).toEqual(labels)
    const pod = spec.template.spec
    const [container] = pod.containers
    expect(container.ports).toEqual([{ name: 'http', containerPort: 3100 }])
    expect(dockerfile).toContain('EXPOSE 3100')
    expect([container.livenessProbe, container.readinessProbe].map(({ httpGet }) => httpGet.path)).toEqual(['/healthz', '/readyz'])
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(35)
    expect(container.volumeMounts.map(({ name }: Any) => name).sort()).toEqual(pod.volumes.map(({ name }: Any) => name).sort())
    for (const name of container.env.map((one: Any) => one.name).filter((name: string) => name.startsWith('MCPGW_')))
      expect(read('start.sh')).toContain(name)
    const folder = /MCPGW_CONFIG=(\S+)\//.exec(dockerfile)?.[1]
    expect(container.volumeMounts.map(({ mountPath }: Any) => mountPath)).toContain(folder)
    expect(pod.volumes.find(({ name }: Any) => name === 'secrets').secret.secretName).toBe(chart.values.secretName)
    expect(rendered.get('servicemonitor.yaml').spec.endpoints[0].authorization.credentials).toEqual({
      name: chart.values.secretName,
      key: 'metrics-token',
    })
    expect(parse(renderTemplate(chart.templates.get('servicemonitor.yaml')!, chart.values))).toBeNull()
  })
})

describe.skipIf(!isBuilt)('the Dockerfile', () => {
  test('has one base, by its exact version, and an ordinary user', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base!)
    expect(new Set(bases).size).toBe(1)
    expect(bases[0]).toMatch(/^node:\d+\.\d+\.\d+-/)
    expect(dockerfile).toMatch(/^USER node$/m)
  })

  test('copies only what there is, and what the build needs', () => {
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) => files!.split(' '))
    for (const name of sources) expect(existsSync(join(root, name)), name).toBe(true)
    const letIn = read('Dockerfile.dockerignore')
      .split('\n')
      .filter(line => line.startsWith('!'))
      .map(line => line.slice(1))
    for (const name of letIn) expect(existsSync(join(root, name)), name).toBe(true)
    const { include } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as { include: string[] }
    for (const name of [...include, 'tsconfig.json']) expect(letIn).toContain(name)
  })

  test(
    'installs what the gateway needs at run time, and the gateway runs with that',
    () => {
      const packages = /AS packages\n([\s\S]*?)\n\n/.exec(dockerfile)![1]!
      const command = /^RUN (.+)$/m.exec(packages)![1]!
      const dir = createFolder()
      for (const name of ['package.json', 'package-lock.json', '.npmrc'])
        if (existsSync(join(root, name))) cpSync(join(root, name), join(dir, name))
      const installed = spawnSync('sh', ['-c', `${command} --prefer-offline`], { cwd: dir, encoding: 'utf8', timeout: 4 * MINUTES })
      if (installed.status !== 0 && /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/.test(installed.stderr)) {
        console.warn('no npm registry can be reached: what the image installs is not tried')
        return
      }
      expect(installed.status, installed.stderr).toBe(0)
      cpSync(join(root, 'dist'), join(dir, 'dist'), { recursive: true })
      const words = ['audit', 'auth', 'ratelimit', 'meter', 'policy', 'redact'].flatMap(name => ['--plugin', name])
      const run = spawnSync(process.execPath, ['dist/core/cli.js', 'plugins', 'order', ...words], { cwd: dir, encoding: 'utf8' })
      expect(run.status, run.stderr).toBe(0)
      expect(spawnSync(process.execPath, ['dist/core/cli.js', '--version'], { cwd: dir, encoding: 'utf8' }).stdout).toMatch(
        /^\d+\.\d+\.\d+/,
      )
    },
    6 * MINUTES,
  )
})
