// Findings of the kernel as people read them, each at its place in the config.
import type { Loaded } from '../config/load.ts'
import { renderDiagnostics } from '../config/render.ts'
import type { Finding } from '../finding.ts'
import { toFinding } from './check-plugins.ts'

export function renderFindings(findings: readonly Finding[], { config, origins }: Loaded, color: boolean): string {
  return renderDiagnostics(
    findings.map(finding => toFinding(finding, config.plugins, origins)),
    color,
  )
}
