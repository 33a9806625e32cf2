// `mcpgw hello count`: how often each tool was called.
import { openCounts } from '../counts.js'

/**
 * @param {import('mcpgw/plugin').CommandIo<import('../config.js').HelloConfig>} io
 * @returns {Promise<number>}
 */
export async function showCounts({ config, stores, json, out, err }) {
  const counts = openCounts(stores, config.path)
  const tools = counts.all()
  counts.close()
  if (json) out(JSON.stringify({ tools }, null, 2))
  else for (const { tool, count } of tools) out(`${String(count).padStart(6)}  ${tool}`)
  if (!json && tools.length === 0) err('No tool was called yet.')
  return 0
}
