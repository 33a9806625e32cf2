// Finds the Node that runs the official suite: it needs 22 or newer, while the project's floor is 20.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const NEEDED = 22
const PACKAGE = `node-linux-${process.arch}`
const BROUGHT = fileURLToPath(new URL(`../../.ci/tools/node_modules/${PACKAGE}/bin/node`, import.meta.url))

/** @returns {{ kind: 'found', path: string } | { kind: 'missing', hint: string }} */
export function findNewNode() {
  if (Number(process.versions.node.split('.')[0]) >= NEEDED) return { kind: 'found', path: process.execPath }
  if (existsSync(BROUGHT)) return { kind: 'found', path: BROUGHT }
  const bring = `npm install --prefix .ci/tools --no-save --no-package-lock ${PACKAGE}@24`
  return {
    kind: 'missing',
    hint: `The conformance suite needs Node ${NEEDED} or newer; this is ${process.version}. Run it with a newer one, or bring one beside this: ${bring}`,
  }
}
