// The environment of a managed server is exactly the allow-list plus what is declared (T47).
import { afterEach, describe, expect, it, vi } from 'vitest'
import { childEnvironment } from '../../../../core/upstream/child/env.ts'
import { openProbe } from './probe.ts'

afterEach(() => vi.unstubAllEnvs())

describe('environment of a server', () => {
  it('is the allow-list and the declared names, and nothing else', () => {
    const own = { PATH: '/bin', HOME: '/home/x', LANG: 'C', TZ: 'UTC', TMPDIR: '/tmp', LC_ALL: 'C', NODE_OPTIONS: '-r x', AWS_SECRET: 's' }
    expect({ ...childEnvironment({ TOKEN: 't', TZ: 'Asia/Tokyo' }, own, 'linux') }).toEqual({
      PATH: '/bin',
      HOME: '/home/x',
      LANG: 'C',
      TZ: 'Asia/Tokyo',
      TMPDIR: '/tmp',
      TOKEN: 't',
    })
  })

  it('leaves out what the gateway does not have itself', () => {
    expect({ ...childEnvironment({}, { PATH: '/bin' }, 'linux') }).toEqual({ PATH: '/bin' })
  })

  it('lets a declared name win over an inherited one of other case on Windows', () => {
    expect({ ...childEnvironment({ Path: 'C:\\mine' }, { PATH: 'C:\\', SystemRoot: 'C:\\Windows' }, 'win32') }).toEqual({
      Path: 'C:\\mine',
      SystemRoot: 'C:\\Windows',
    })
  })

  it('is what the server really sees (T47)', async () => {
    vi.stubEnv('MCPGW_TEST_SECRET', 'must not leak')
    vi.stubEnv('TZ', 'UTC')
    const probe = await openProbe(['env'], {}, { env: childEnvironment({ DECLARED: 'yes; $(touch x)' }) })
    const event = await probe.next()
    const allowed = Object.entries(process.env).filter(([name]) => ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'].includes(name))
    expect(event.kind === 'message' && JSON.parse(event.text)).toEqual({ ...Object.fromEntries(allowed), DECLARED: 'yes; $(touch x)' })
    await probe.transport.close()
  })
})
