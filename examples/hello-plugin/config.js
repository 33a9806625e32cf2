// What hello can be told in mcpgw.yaml: a Standard Schema by hand, so that the plugin needs no package at all.

/**
 * @typedef {object} HelloConfig
 * @property {string | undefined} greeting  Put before the caller's name; without it answers stay as they are.
 * @property {readonly string[]} forbidden  Words that no argument may contain; case does not matter.
 * @property {string} path                  Where the counts are kept, relative to the data directory.
 */

const known = ['greeting', 'forbidden', 'path']

/** @type {import('mcpgw/plugin').StandardSchemaV1<unknown, HelloConfig>} */
export const config = {
  '~standard': { version: 1, vendor: 'mcpgw-plugin-hello', validate: check },
}

/**
 * @param {unknown} given
 * @returns {import('mcpgw/plugin').StandardResult<HelloConfig>}
 */
function check(given) {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return { issues: [{ message: 'expected a map' }] }
  const { greeting, forbidden = [], path = 'hello.db' } = /** @type {Record<string, unknown>} */ (given)
  /** @type {import('mcpgw/plugin').StandardIssue[]} */
  const issues = Object.keys(given)
    .filter(key => !known.includes(key))
    .map(key => ({ message: `unknown key "${key}"`, path: [key] }))
  if (greeting !== undefined && !isText(greeting)) issues.push({ message: 'expected a text', path: ['greeting'] })
  if (!isText(path)) issues.push({ message: 'expected a file name', path: ['path'] })
  if (!Array.isArray(forbidden) || !forbidden.every(isText)) issues.push({ message: 'expected a list of words', path: ['forbidden'] })
  if (issues.length > 0) return { issues }
  return { value: /** @type {HelloConfig} */ ({ greeting, forbidden, path }) }
}

/** @param {unknown} value */
function isText(value) {
  return typeof value === 'string' && value !== ''
}
