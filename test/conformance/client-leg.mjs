// The client leg: the suite plays the server, the gateway is in front of it, and a client of the gateway drives the scenario.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readScenarios, runClientScenario } from './suite.mjs'

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url))

/** Scenarios of authorization are left out: the gateway's own way to get tokens is not built. */
export async function runClientLeg(revision, node, dir) {
  const findings = []
  for (const { scenario, required } of readScenarios(revision, 'client').filter(entry => !entry.scenario.startsWith('auth/'))) {
    const command = `"${process.execPath}" "${CLIENT}"`
    findings.push(await runClientScenario({ node, command, scenario, required, revision, dir: join(dir, scenario) }))
  }
  return findings
}
