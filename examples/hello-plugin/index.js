// hello: greets callers in the answers of tools, refuses forbidden words in arguments, and counts calls. The definition and its hooks.
import { definePlugin, deny, pass, rewrite } from 'mcpgw/plugin'
import { config } from './config.js'
import { openCounts } from './counts.js'
import { findWord } from './words.js'

/** @type {import('mcpgw/plugin').Plugin<import('./config.js').HelloConfig>} */
const hello = definePlugin({
  name: 'hello',
  apiVersion: 1,
  config,
  // Declared only where it is used: without a greeting the plugin could not change an answer if it tried.
  capabilities: ({ greeting }) => (greeting === undefined ? [] : ['rewrites-response']),
  commands: [
    {
      path: ['hello', 'count'],
      summary: 'How often each tool was called',
      examples: ['mcpgw hello count', 'mcpgw hello count --json'],
      load: async () => (await import('./commands/count.js')).showCounts,
    },
  ],
  setup({ config, metrics, stores, onStop }) {
    const { greeting, forbidden } = config
    const calls = metrics.counter('calls_total', 'Tool calls, by how they ended.', ['outcome'])
    const counts = openCounts(stores, config.path)
    onStop(() => counts.close())

    return {
      onRequest(exchange) {
        if (exchange.resource.kind !== 'call') return pass
        const word = findWord(exchange.args.value, forbidden)
        if (word === undefined) return pass
        // The reason is public, the detail is for log and record.
        return deny('denied', 'the arguments contain a word that is not allowed here', { detail: `forbidden word: ${word}` })
      },

      onResponse(exchange, answer) {
        if (greeting === undefined || exchange.resource.kind !== 'call' || answer.kind !== 'result') return pass
        const result = /** @type {import('mcpgw/plugin').JsonObject} */ (answer.payload.value)
        if (!Array.isArray(result.content)) return pass
        const text = `${greeting}, ${exchange.principal?.name ?? exchange.principal?.id ?? 'stranger'}!`
        return rewrite({ ...result, content: [...result.content, { type: 'text', text }] })
      },

      onSettled({ resource }, outcome) {
        if (resource.kind !== 'call') return
        calls.inc({ outcome: outcome.kind })
        counts.add(`${resource.server}__${resource.tool}`)
      },
    }
  },
})
export default hello
