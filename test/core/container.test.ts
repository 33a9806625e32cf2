// Each trap of tsyringe that the container facade must keep us out of.
import { expect, test } from 'vitest'
import { createContainer, token } from '../../core/container.ts'

const A = token<{ name: string }>('a')
const B = token<{ a: { name: string } }>('b')
const C = token<{ b: { a: { name: string } } }>('c')

test('a service is made on first use, and once', () => {
  const container = createContainer()
  let made = 0
  container.provide(A, () => ({ name: `a${++made}` }))
  expect(made).toBe(0)
  expect(container.get(A)).toBe(container.get(A))
  expect(made).toBe(1)
})

test('a second registration is an error and the first stays', () => {
  const container = createContainer()
  container.provide(A, () => ({ name: 'first' }))
  expect(() => container.provide(A, () => ({ name: 'second' }))).toThrow('a is provided twice')
  expect(container.get(A).name).toBe('first')
})

test('a circle is named instead of overflowing the stack', () => {
  const container = createContainer()
  container.provide(A, c => ({ name: c.get(C).b.a.name }))
  container.provide(B, c => ({ a: c.get(A) }))
  container.provide(C, c => ({ b: c.get(B) }))
  expect(() => container.get(C)).toThrow('a circle of services: c -> b -> a -> c')
  // The failed attempt leaves nothing behind.
  expect(() => container.get(B)).toThrow('a circle of services: b -> a -> c -> b')
})

test('what nobody provides is named with the way to it', () => {
  const container = createContainer()
  container.provide(B, c => ({ a: c.get(A) }))
  expect(() => container.get(B)).toThrow('nobody provides b -> a')
})

test('a factory that threw is asked again', () => {
  const container = createContainer()
  let attempts = 0
  container.provide(A, () => {
    if (++attempts === 1) throw new Error('not yet')
    return { name: 'a' }
  })
  expect(() => container.get(A)).toThrow('not yet')
  expect(container.get(A).name).toBe('a')
})

test('a child that resolves first does not leak its override into the parent', () => {
  const parent = createContainer()
  parent.provide(A, () => ({ name: 'parent' }))
  parent.provide(B, c => ({ a: c.get(A) }))
  const child = parent.child()
  child.provide(A, () => ({ name: 'child' }))
  expect(child.get(A).name).toBe('child')
  expect(child.get(B).a.name).toBe('parent')
  expect(parent.get(B).a.name).toBe('parent')
  expect(parent.get(A).name).toBe('parent')
})

test('siblings see neither the registrations nor the overrides of each other', () => {
  const parent = createContainer()
  parent.provide(A, () => ({ name: 'parent' }))
  const [one, two] = [parent.child(), parent.child()]
  one.provide(A, () => ({ name: 'one' }))
  one.provide(B, c => ({ a: c.get(A) }))
  expect(one.get(B).a.name).toBe('one')
  expect(two.get(A).name).toBe('parent')
  expect(two.has(B)).toBe(false)
  expect(() => two.get(B)).toThrow('nobody provides b')
})

test('two containers share nothing', () => {
  const one = createContainer()
  one.provide(A, () => ({ name: 'one' }))
  expect(createContainer().has(A)).toBe(false)
})

test('dispose releases what factories made, in reverse order, one after the other, children first', async () => {
  const log: string[] = []
  const release = (name: string) => async () => {
    log.push(`${name} begins`)
    await Promise.resolve()
    log.push(`${name} ends`)
  }
  const parent = createContainer()
  parent.provide(B, c => ({ a: c.get(A) }), release('b'))
  parent.provide(A, () => ({ name: 'a' }), release('a'))
  parent.provide(C, () => ({ b: { a: { name: '' } } }), release('never made'))
  const child = parent.child()
  const D = token<string>('d')
  child.provide(D, c => c.get(B).a.name, release('d'))
  child.get(D)
  expect(await parent.dispose()).toEqual([])
  expect(log).toEqual(['d begins', 'd ends', 'b begins', 'b ends', 'a begins', 'a ends'])
})

test('one failure to let go stops no other, and is returned', async () => {
  const log: string[] = []
  const container = createContainer()
  container.provide(
    A,
    () => ({ name: 'a' }),
    () => void log.push('a'),
  )
  container.provide(
    B,
    c => ({ a: c.get(A) }),
    () => Promise.reject(new Error('stuck')),
  )
  container.get(B)
  expect(await container.dispose()).toEqual([{ token: 'b', error: new Error('stuck') }])
  expect(log).toEqual(['a'])
  expect(await container.dispose()).toEqual([])
})

test('after dispose nothing is given out or taken in', async () => {
  const container = createContainer()
  container.provide(A, () => ({ name: 'a' }))
  await container.dispose()
  expect(() => container.get(A)).toThrow('disposed')
  expect(() => container.provide(B, c => ({ a: c.get(A) }))).toThrow('disposed')
})
