// Case 28, over the built product: policies are reloaded at 200 calls a second, by signal and by file, and each call is decided by one bundle.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, runCli, startProduct, untilHealth } from '../e2e/product.ts'
import { readRecords, type ShownRecord, verify } from '../e2e/records.ts'
import { oddServer } from '../e2e/servers.ts'
import { type Load, startLoad } from './load.ts'

const PER_SECOND = 100
const only = (colour: string): string => `policy "colours" edition 1
allow one-colour {
  who  any
  call odd/echo
  when { has(args.name) && args.name.startsWith("${colour}-") }
}
`
const SYNTAX = 'policy "colours" edition 1\nallow {'
const MEANING = 'policy "colours" edition 1\nallow one-colour { who any call @nowhere }'

interface Decided extends ShownRecord {
  readonly decision?: { readonly outcome: string; readonly bundle?: string; readonly policy?: { readonly outcome: string } }
}

describe.skipIf(!isBuilt)('policies that are reloaded at 200 calls a second', () => {
  test('no call is dropped, what is wrong changes nothing, and each call is decided by the bundle that its record names', async () => {
    const dir = createFolder()
    const file = join(dir, 'a.policy')
    const write = (text: string): void => {
      writeFileSync(`${file}.new`, text)
      renameSync(`${file}.new`, file)
    }
    write(only('red'))
    const config = {
      servers: [{ id: 'odd', ...oddServer() }],
      plugins: [{ audit: { durability: 'os' } }, 'auth', 'policy'],
      policies: ['a.policy'],
    }
    writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(config))
    // Of callers whom nobody knows refusals are only counted.
    const key = runCli(['keys', 'create', 'ann', 'ann', 'support'], dir).out.trim()
    const headers = ['authorization', `Bearer ${key}`]
    const product = await startProduct({ dir })
    const start = (prefix: string): Promise<Load> =>
      startLoad(product.origin, { tool: 'odd__echo', prefix, perSecond: PER_SECOND, atOnce: 32, headers })
    const red = await start('red')
    const blue = await start('blue')
    const policyHealth = (why: string | undefined): Promise<unknown> =>
      untilHealth(product.origin, ({ components }) => {
        const now = components.find(({ name }) => name === 'policy')?.why
        return why === undefined ? now === undefined : now?.includes(why) === true
      })

    await red.answers(100)
    for (const [text, found] of [
      [SYNTAX, 'error[syntax]'],
      [MEANING, 'error[unknown-set]'],
    ] as const) {
      write(text)
      product.signal('SIGHUP')
      await policyHealth(found)
      await red.answers(100)
      expect(blue.answered.size).toBe(0)
    }
    write(only('blue'))
    product.signal('SIGHUP')
    await blue.answers(100)
    await policyHealth(undefined)

    // Nobody says so: a file that was written is noticed, whether it is good or not.
    write(SYNTAX)
    await policyHealth('error[syntax]')
    await blue.answers(100)
    write(only('red'))
    await red.answers(100)
    await policyHealth(undefined)
    await Promise.all([red.end(), blue.end()])
    expect(await product.stop()).toMatchObject({ code: 0 })

    for (const load of [red, blue]) {
      expect([...load.failed.keys()]).toEqual(['denied'])
      expect(load.answered.size + load.failed.get('denied')!).toBe(load.sent())
    }
    const records = readRecords(dir) as readonly Decided[]
    const told = records.filter(({ type }) => type.startsWith('policy.'))
    expect(told.map(({ type }) => type)).toEqual([
      'policy.load',
      'policy.reload-refused',
      'policy.reload-refused',
      'policy.reload',
      'policy.reload-refused',
      'policy.reload',
    ])
    const [load, syntax, meaning, reload, again, back] = told.map(({ detail }) => detail ?? {})
    for (const refused of [syntax, meaning])
      expect(refused).toMatchObject({ inForce: load!.bundle, findings: [expect.stringContaining('a.policy:')] })
    expect(reload).toMatchObject({ before: load!.bundle, bundle: again!.inForce })
    expect(back).toMatchObject({ before: reload!.bundle, bundle: load!.bundle })

    // One decision a call, by one of the two bundles, as that bundle says; the record of a refusal has no arguments.
    const intents = records.filter(({ type }) => type === 'intent')
    const refusals = records.filter(({ type }) => type === 'refusal')
    expect(intents).toHaveLength(red.answered.size + blue.answered.size)
    expect(new Set(intents.map(({ args }) => args?.name))).toEqual(new Set([...red.answered, ...blue.answered]))
    expect(refusals).toHaveLength(red.failed.get('denied')! + blue.failed.get('denied')!)
    const colours = new Map([
      [load!.bundle, 'red-'],
      [reload!.bundle, 'blue-'],
    ])
    const isRight = ({ type, args, decision }: Decided): boolean => {
      const colour = colours.get(decision?.bundle)
      if (type === 'refusal') return colour !== undefined && decision?.policy?.outcome === 'deny'
      return colour !== undefined && decision?.policy?.outcome === 'allow' && String(args?.name).startsWith(colour)
    }
    expect([...intents, ...refusals].filter(one => !isRight(one))).toEqual([])
    expect(verify(dir).code).toBe(4)
  }, 180_000)
})
