// Loaded into the gateway that is soaked: tells whoever started it, when asked, what is in memory after a collection and what is open.
import { readdirSync } from 'node:fs'

process.on('message', () => {
  for (let times = 0; times < 3; times++) globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  process.send?.({
    heap: heapUsed / 2 ** 20,
    rss: rss / 2 ** 20,
    fds: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().length,
  })
})
// Whoever is asked only does not keep the gateway from ending.
process.channel?.unref()
