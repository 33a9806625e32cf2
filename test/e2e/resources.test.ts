// Resources end to end: listed, read, by template, subscribed to, updated, and a list that changes.
import {
  type LoggingMessageNotification,
  LoggingMessageNotificationSchema,
  type ResourceListChangedNotification,
  ResourceListChangedNotificationSchema,
  type ResourceUpdatedNotification,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { expect, test } from 'vitest'
import { collectNotifications, createPlainClient, type Inbox } from './clients.ts'
import { everything, realServers } from './servers.ts'
import { describeEachWay, openConnection, useConnection } from './ways.ts'

describeEachWay('resources', way => {
  let updates: Inbox<ResourceUpdatedNotification>
  let changes: Inbox<ResourceListChangedNotification>
  let logs: Inbox<LoggingMessageNotification>
  const connection = useConnection(way, {
    servers: realServers,
    client(server) {
      const client = createPlainClient()
      if (server !== '' && server !== 'everything') return client
      updates = collectNotifications(client, ResourceUpdatedNotificationSchema)
      changes = collectNotifications(client, ResourceListChangedNotificationSchema)
      logs = collectNotifications(client, LoggingMessageNotificationSchema)
      return client
    },
  })
  const reach = () => connection().link('everything')

  test('are listed as the server describes them', async () => {
    const { resources } = await reach().client.listResources()
    const direct = await openConnection('direct', { servers: () => ({ everything: everything() }), client: createPlainClient })
    try {
      const own = await direct.link('everything').client.listResources()
      expect(own.resources.length).toBeGreaterThan(5)
      // Through the gateway the list holds the resources of the other servers too.
      expect(resources.filter(({ uri }) => uri.startsWith('demo:'))).toEqual(own.resources)
    } finally {
      await direct.close()
    }
  })

  test('are read under their own URI', async () => {
    const uri = 'demo://resource/static/document/architecture.md'
    const { contents } = await reach().client.readResource({ uri })
    expect(contents).toMatchObject([{ uri, mimeType: 'text/markdown', text: expect.stringContaining('#') }])
  })

  test('templates are listed, and what they make is read, text and binary', async () => {
    const { client } = reach()
    const { resourceTemplates } = await client.listResourceTemplates()
    expect(resourceTemplates.map(template => template.uriTemplate)).toEqual([
      'demo://resource/dynamic/text/{resourceId}',
      'demo://resource/dynamic/blob/{resourceId}',
    ])
    const text = await client.readResource({ uri: 'demo://resource/dynamic/text/3' })
    expect(text.contents).toMatchObject([{ uri: 'demo://resource/dynamic/text/3', text: expect.stringMatching(/^Resource 3: /) }])
    const blob = await client.readResource({ uri: 'demo://resource/dynamic/blob/4' })
    expect(Buffer.from((blob.contents[0] as { blob: string }).blob, 'base64').toString()).toMatch(/^Resource 4: /)
  })

  test('an unknown one is an error', async () => {
    await expect(reach().client.readResource({ uri: 'demo://resource/none' })).rejects.toMatchObject({ code: expect.any(Number) })
  })

  test('a subscription brings updates of that resource', async () => {
    const { client, named } = reach()
    const uri = 'demo://resource/dynamic/text/5'
    await client.subscribeResource({ uri })
    expect((await logs.take(({ params }) => String(params.data).includes(uri))).params.level).toBe('info')
    await client.callTool({ name: named('toggle-subscriber-updates') })
    expect((await updates.take(() => true)).params.uri).toBe(uri)
    await client.callTool({ name: named('toggle-subscriber-updates') })
    await client.unsubscribeResource({ uri })
  })

  test('a new one changes the list, which is told, and it can be read', async () => {
    const { client, named } = reach()
    const before = (await client.listResources()).resources.map(resource => resource.uri)
    const uri = 'demo://resource/session/told.gz'
    expect(before).not.toContain(uri)
    await client.callTool({ name: named('gzip-file-as-resource'), arguments: { name: 'told.gz', data: 'data:text/plain,told' } })
    await changes.take(() => true)
    expect((await client.listResources()).resources.map(resource => resource.uri)).toContain(uri)
    const { contents } = await client.readResource({ uri })
    expect(contents).toMatchObject([{ uri, mimeType: 'application/gzip' }])
  })
})
