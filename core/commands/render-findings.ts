// Findings of the kernel as people read them.
import { renderDiagnostics } from '../config/render.ts'
import type { Finding } from '../finding.ts'
import { toDiagnostic } from './check-plugins.ts'

export function renderFindings(findings: readonly Finding[], color: boolean): string {
  return renderDiagnostics(findings.map(toDiagnostic), color)
}
