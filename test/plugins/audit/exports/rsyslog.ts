// A real rsyslog that writes what it understood of each message as a line of JSON. With CI set its absence is a failure.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { tempDir } from '../gateway.ts'

const DAEMON = '/usr/sbin/rsyslogd'
const MODULES = ['/usr/lib/x86_64-linux-gnu/rsyslog', '/usr/lib/aarch64-linux-gnu/rsyslog', '/usr/lib64/rsyslog']
export const hasRsyslog: boolean = existsSync(DAEMON) && MODULES.some(folder => existsSync(join(folder, 'lmnsd_gtls.so')))
if (!hasRsyslog) {
  const what = 'no rsyslog with TLS: install rsyslog and rsyslog-gnutls'
  if (process.env.CI !== undefined) throw new Error(what)
  console.warn(`skipped: ${what}`)
}

export interface Understood {
  readonly pri: string
  readonly time: string
  readonly host: string
  readonly app: string
  readonly procid: string
  readonly msgid: string
  readonly sd: Readonly<Record<string, string>>
  readonly msg: string
}

export interface Rsyslog {
  readonly port: number
  messages(): Understood[]
  /** SIGKILL, and its end. */
  kill(): Promise<void>
}

/** Of an authority of its own, for 127.0.0.1. */
export interface Certificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export function createCertificates(): Certificates {
  const dir = tempDir()
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority')
  openssl('req', ...ec, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', '/CN=127.0.0.1')
  writeFileSync(join(dir, 'extensions'), 'subjectAltName=IP:127.0.0.1')
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'extensions']
  openssl('x509', '-req', '-in', 'request.pem', '-out', 'cert.pem', ...signed)
  return { ca: join(dir, 'ca.pem'), cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') }
}

/** In a folder of its own, or going on in `dir` with what an earlier one wrote there. */
export async function startRsyslog(tls?: Certificates, port = 0, dir = tempDir()): Promise<Rsyslog & { readonly dir: string }> {
  const [config, out, portFile] = [join(dir, 'rsyslog.conf'), join(dir, 'out.jsonl'), join(dir, 'port')]
  // What an earlier one left says nothing of this one.
  for (const name of ['port', 'pid']) rmSync(join(dir, name), { force: true })
  writeFileSync(config, configuration(dir, out, portFile, port, tls))
  const child: ChildProcess = spawn(DAEMON, ['-n', '-f', config, '-i', join(dir, 'pid')], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr?.on('data', chunk => {
    said += String(chunk)
  })
  const exited = new Promise<void>(resolve => child.once('close', () => resolve()))
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  afterAll(kill)
  // With a given port the file is not written again.
  while (port === 0 ? readText(portFile) === '' : !(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`rsyslogd ended: ${said}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return {
    dir,
    kill,
    port: port === 0 ? Number(readText(portFile)) : port,
    messages: () => readText(out).split('\n').flatMap(readMessage),
  }
}

const readText = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket.destroy() !== undefined))
    socket.on('error', () => resolve(false))
  })
}

function readMessage(line: string): Understood[] {
  if (line === '') return []
  try {
    const { sd, ...rest } = JSON.parse(line) as Omit<Understood, 'sd'> & { readonly sd: string }
    return [{ ...rest, sd: (JSON.parse(sd) as Record<string, Record<string, string>>)['mcpgw@32473'] ?? {} }]
  } catch {
    // Cut off where it was killed.
    return []
  }
}

function configuration(dir: string, out: string, portFile: string, port: number, tls?: Certificates): string {
  const driver =
    tls &&
    `defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="${tls.ca}" defaultNetstreamDriverCertFile="${tls.cert}" defaultNetstreamDriverKeyFile="${tls.key}"`
  const mode = tls === undefined ? '' : 'streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon"'
  const property = (outname: string, name: string): string => `property(outname="${outname}" name="${name}" format="jsonf")`
  const names = { pri: 'pri', time: 'timereported', host: 'hostname', app: 'app-name', procid: 'procid', msgid: 'msgid', msg: 'msg' }
  const properties = Object.entries(names).map(([outname, name]) => property(outname, name))
  return `
global(workDirectory="${dir}" maxMessageSize="256k" ${driver ?? ''})
module(load="imtcp" ${mode})
module(load="mmpstrucdata")
template(name="understood" type="list" option.jsonf="on") {
  ${properties.join('\n  ').replace('name="timereported"', 'name="timereported" dateFormat="rfc3339"')}
  property(outname="sd" name="$!rfc5424-sd" format="jsonf")
}
input(type="imtcp" address="127.0.0.1" port="${port}" listenPortFileName="${portFile}" ruleset="all")
ruleset(name="all") {
  action(type="mmpstrucdata" sd_name.lowercase="off")
  action(type="omfile" file="${out}" template="understood" asyncWriting="off" flushOnTXEnd="on")
}
`
}
