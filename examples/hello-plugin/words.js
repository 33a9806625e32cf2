// Looks for words in arguments: in every text, names of members included.
import { ExactNumber } from 'mcpgw/plugin'

/**
 * The first of `words` that stands in the value, or undefined.
 * @param {import('mcpgw/plugin').JsonValue} value
 * @param {readonly string[]} words
 * @returns {string | undefined}
 */
export function findWord(value, words) {
  if (words.length === 0) return undefined
  if (typeof value === 'string') return words.find(word => value.toLowerCase().includes(word.toLowerCase()))
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return undefined
  for (const [key, member] of Object.entries(value)) {
    const found = findWord(key, words) ?? findWord(member, words)
    if (found !== undefined) return found
  }
  return undefined
}
