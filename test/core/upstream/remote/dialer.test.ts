// Whoever is reached on the public internet alone is not reached where a name leads into this machine or its network.
import { expect, it, onTestFinished } from 'vitest'
import { createDialer, createPublicDialer, type Dialer } from '../../../../core/upstream/remote/dialer.ts'
import { startHttpUpstream } from '../../data-plane/http-upstream.ts'

it('goes nowhere where the name leads into this machine, and anywhere without that bound', async () => {
  const up = await startHttpUpstream()
  const [open, guarded] = [createDialer(), createPublicDialer()]
  onTestFinished(async () => {
    await Promise.all([open.close(), guarded.close(), up.close()])
  })
  const url = new URL(up.url)
  url.hostname = 'localhost'
  const status = async ({ pool }: Dialer): Promise<number> => {
    const dispatcher = await pool(url)
    return new Promise((resolve, reject) => {
      let answered = 0
      dispatcher.dispatch(
        { method: 'GET', path: url.pathname },
        {
          onRequestStart: () => {},
          onResponseStart(_, code) {
            answered = code
          },
          onResponseData: () => {},
          onResponseEnd: () => resolve(answered),
          onResponseError: (_, error) => reject(error),
        },
      )
    })
  }
  await expect(status(guarded)).rejects.toThrow('not on the public internet')
  expect(up.requests).toEqual([])
  expect(await status(open)).toBe(405)
})
