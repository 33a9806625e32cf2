// One report in the format that was asked for.
import { renderGithub } from './formats/github.ts'
import { renderJson } from './formats/json.ts'
import { renderJunit } from './formats/junit.ts'
import { renderPretty } from './formats/pretty.ts'
import { renderSarif } from './formats/sarif.ts'
import type { Report } from './report.ts'

export const reportFormats = ['pretty', 'json', 'sarif', 'github', 'junit'] as const
export type ReportFormat = (typeof reportFormats)[number]

export interface RenderOptions {
  /** Of `pretty`. */
  readonly color?: boolean | undefined
  /** Of the program, for `sarif`. */
  readonly version?: string | undefined
}

export function renderReport(format: ReportFormat, report: Report, options: RenderOptions = {}): string {
  switch (format) {
    case 'pretty':
      return renderPretty(report, { color: options.color === true })
    case 'json':
      return renderJson(report)
    case 'sarif':
      return renderSarif(report, options)
    case 'github':
      return renderGithub(report)
    case 'junit':
      return renderJunit(report)
  }
}
