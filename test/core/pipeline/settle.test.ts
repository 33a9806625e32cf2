// Every plugin that was entered hears how an exchange ended: once, in reverse order.
import { expect, test } from 'vitest'
import { type Capability, deny, type Hooks, type Outcome } from '../../../core/plugin/index.ts'
import { plug } from '../define.ts'
import { through } from './stage.ts'

test('every plugin that was entered hears the outcome once, in reverse order; a recorder hears it also where it was not', async () => {
  const heard: [string, Outcome['kind']][] = []
  const listen = (name: string, capabilities: Capability[], hooks: Hooks = {}) =>
    plug(name, capabilities, { ...hooks, onSettled: (_x, outcome) => void heard.push([name, outcome.kind]) })
  const stop = listen('filter', [], { onRequest: () => deny('denied', 'no') })
  await through(listen('first', []), stop, listen('audit', ['records']), listen('never', []))
  expect(heard.splice(0)).toEqual([
    ['audit', 'denied'],
    ['filter', 'denied'],
    ['first', 'denied'],
  ])
  const { world, called } = await through(listen('one', []), listen('two', []))
  expect(heard.splice(0)).toEqual([
    ['two', 'answered'],
    ['one', 'answered'],
  ])
  world.kernel.pipeline.settle(called.exchange, called.outcome)
  await world.kernel.pipeline.drain()
  expect(heard).toEqual([])
  expect(called.exchange.state).toBe('settled')
})

test('an onSettled that fails does not keep the others from hearing', async () => {
  const heard: string[] = []
  const one = plug('one', [], { onSettled: () => void heard.push('one') })
  const bad = plug('bad', [], { onSettled: () => Promise.reject(new Error('x')) })
  await through(one, bad)
  expect(heard).toEqual(['one'])
})
