// One report with everything that a format has to carry: several severities, labels, help, fix, witness, and hostile text.
import type { Report } from '../../../../dsl/diagnostics/report.ts'

const text = 'policy "p" edition 1\r\nallow a {\r\n\tcall crm/get_custmer\r\n}\r\n'
const start = text.indexOf('crm/')
const span = { file: 'team/a b.policy', start, end: start + 'crm/get_custmer'.length }

export const sample: Report = {
  sources: [
    { file: 'team/a b.policy', text },
    { file: 'clean.policy', text: 'policy "c" edition 1\n' },
    { file: '<&"\u0007\ud800>.policy', text: 'x\ny' },
  ],
  failLevel: 'warning',
  diagnostics: [
    {
      code: 'unknown-tool',
      severity: 'error',
      message: 'the lock has no tool `crm/get_custmer`',
      span,
      help: 'did you mean `crm/get_customer`?',
      labels: [{ span: { file: span.file, start: text.indexOf('allow'), end: text.indexOf('allow') + 7 }, text: 'in this rule' }],
      fix: { span, text: 'crm/get_customer', title: 'write `crm/get_customer`' },
      witness: { principal: { id: 'x' }, call: 'crm/get_custmer', args: { n: 1n } },
    },
    { code: 'expired', severity: 'warning', message: '100%, a: b', span: { file: '<&"\u0007\ud800>.policy', start: 0, end: 3 } },
    { code: 'style', severity: 'hint', message: 'esc \u001b[2J ]]> <a>', span: { file: '<&"\u0007\ud800>.policy', start: 2, end: 2 } },
  ],
}
