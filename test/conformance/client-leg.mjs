// The client leg: the suite plays the server, the gateway is in front of it, and a client of the gateway drives the scenario.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readScenarios, runClientScenario } from './suite.mjs'

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url))

/** Scenarios of authorization are left out: the gateway gets no tokens for itself. What fails is tried once more: one of them measures time. */
export async function runClientLeg(revision, node, dir) {
  const findings = []
  for (const { scenario, required } of readScenarios(revision, 'client').filter(entry => !entry.scenario.startsWith('auth/'))) {
    const command = `"${process.execPath}" "${CLIENT}"`
    const about = { node, command, scenario, required, revision }
    const finding = await runClientScenario({ ...about, dir: join(dir, scenario) })
    findings.push(finding.passed ? finding : await runClientScenario({ ...about, dir: join(dir, `${scenario}-again`) }))
  }
  return findings
}
