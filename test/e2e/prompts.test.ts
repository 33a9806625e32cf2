// Prompts and completion end to end.
import { expect, test } from 'vitest'
import { createPlainClient } from './clients.ts'
import { everything, realServers } from './servers.ts'
import { describeEachWay, openConnection, useConnection } from './ways.ts'

describeEachWay('prompts', way => {
  const setup = { servers: realServers, client: createPlainClient }
  const connection = useConnection(way, setup)
  const reach = () => connection().link('everything')

  test('are listed as the server describes them', async () => {
    const { client, named } = reach()
    const { prompts } = await client.listPrompts()
    const direct = await openConnection('direct', { ...setup, servers: () => ({ everything: everything() }) })
    try {
      const own = (await direct.link('everything').client.listPrompts()).prompts
      expect(own).toHaveLength(4)
      expect(prompts).toEqual(own.map(prompt => ({ ...prompt, name: named(prompt.name) })))
    } finally {
      await direct.close()
    }
  })

  test('are filled with their arguments', async () => {
    const { client, named } = reach()
    const prompt = await client.getPrompt({ name: named('args-prompt'), arguments: { city: 'Oslo', state: 'Østlandet' } })
    expect(prompt.messages).toEqual([{ role: 'user', content: { type: 'text', text: "What's weather in Oslo, Østlandet?" } }])
  })

  test('may embed a resource', async () => {
    const { client, named } = reach()
    const prompt = await client.getPrompt({ name: named('resource-prompt'), arguments: { resourceType: 'Text', resourceId: '2' } })
    expect(prompt.messages[1]?.content).toMatchObject({ type: 'resource', resource: { uri: 'demo://resource/dynamic/text/2' } })
  })

  test('without a required argument are an error', async () => {
    const { client, named } = reach()
    await expect(client.getPrompt({ name: named('args-prompt'), arguments: {} })).rejects.toMatchObject({ code: expect.any(Number) })
  })

  test('arguments are completed, with the arguments given so far', async () => {
    const { client, named } = reach()
    const ref = { type: 'ref/prompt' as const, name: named('completable-prompt') }
    const departments = await client.complete({ ref, argument: { name: 'department', value: 'S' } })
    expect(departments.completion.values).toEqual(['Sales', 'Support'])
    const names = await client.complete({ ref, argument: { name: 'name', value: 'E' }, context: { arguments: { department: 'Sales' } } })
    expect(names.completion.values).toEqual(['Eve'])
  })

  test('variables of a resource template are completed', async () => {
    const ref = { type: 'ref/resource' as const, uri: 'demo://resource/dynamic/text/{resourceId}' }
    const { completion } = await reach().client.complete({ ref, argument: { name: 'resourceId', value: '12' } })
    expect(completion.values).toEqual(['12'])
  })
})
