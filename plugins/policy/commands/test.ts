// `policy test`: the tests that stand in policy files, and how much of the rules they reach.
import { type Coverage, positionOf, renderReport, runTests, type Source, type Span, type Tally, type TestRun } from 'mcpgw/policy'
import { readChecked } from './checked.ts'
import { choice, fail, type Io, textOption } from './inputs.ts'

export async function test(io: Io): Promise<number> {
  const format = choice(io, 'format', ['pretty', 'json'] as const, io.json ? 'json' : 'pretty')
  if (format === undefined) return 2
  const given = textOption(io, 'minCoverage')
  const least = Number(given ?? 0)
  if (given?.trim() === '' || !(least >= 0 && least <= 100))
    return fail(io, `--min-coverage: expected a number from 0 to 100, found ${given}`)
  const ready = await readChecked(io)
  if (typeof ready === 'string') return ready === 'unread' ? 2 : 1
  const { policy, inputs, now } = ready
  const run = runTests(policy, { now, lock: inputs.lock })
  const failures = run.results.filter(({ failure }) => failure !== undefined).length
  const short = belowOf(run.coverage, least)
  if (format === 'json') io.out(toJson(run, inputs.sources, failures === 0 && short.length === 0))
  else {
    io.out(toText(run, inputs.sources, io.color))
    for (const [name, { percent }] of short) io.err(`coverage of ${name} is ${percent} %, below ${least} %`)
  }
  return failures > 0 || short.length > 0 ? 1 : 0
}

// A bundle without tests covers nothing, also where it has no condition.
function belowOf({ rules, conditions }: Coverage, least: number): (readonly ['rules' | 'conditions', Tally])[] {
  return (
    [
      ['rules', rules],
      ['conditions', conditions],
    ] as const
  ).filter(([, { percent }]) => percent < least)
}

function lineOf(span: Span, sources: readonly Source[]): number {
  return positionOf(sources.find(({ file }) => file === span.file)?.text ?? '', span.start).line
}

function toJson({ results, coverage }: TestRun, sources: readonly Source[], ok: boolean): string {
  const tests = results.map(({ name, span, expected, decided, failure }) => ({
    name,
    file: span.file,
    line: lineOf(span, sources),
    ok: failure === undefined,
    expected,
    ...(decided !== undefined && { decided }),
    ...(failure !== undefined && { message: failure.message }),
  }))
  const tally = ({ missing, ...counts }: Tally): object => ({
    ...counts,
    missing: missing.map(({ rule, what, span }) => ({ rule, what, file: span.file, line: lineOf(span, sources) })),
  })
  return JSON.stringify({ v: 1, ok, tests, coverage: { rules: tally(coverage.rules), conditions: tally(coverage.conditions) } }, null, 2)
}

function toText({ results, coverage }: TestRun, sources: readonly Source[], color: boolean): string {
  const lines = results.map(
    ({ name, span, failure }) =>
      `${failure === undefined ? 'ok  ' : 'FAIL'} ${JSON.stringify(name)}  ${span.file}:${lineOf(span, sources)}`,
  )
  const failures = results.flatMap(({ failure }) => failure ?? [])
  const report =
    failures.length === 0 ? [] : ['', renderReport('pretty', { diagnostics: failures, sources, failLevel: 'error' }, { color }).trimEnd()]
  const tally = (name: string, { covered, total, percent }: Tally): string => `${name} ${percent} % (${covered} of ${total})`
  const missing = [
    ...coverage.rules.missing,
    ...coverage.conditions.missing.filter(one => !coverage.rules.missing.some(({ rule }) => rule === one.rule)),
  ]
  return [
    ...lines,
    ...report,
    ...(lines.length === 0 ? [] : ['']),
    `${results.length - failures.length} passed, ${failures.length} failed; covered: ${tally('rules', coverage.rules)}, ${tally('conditions', coverage.conditions)}`,
    ...missing.map(({ rule, what, span }) => `  never ${what}: ${rule}  ${span.file}:${lineOf(span, sources)}`),
  ].join('\n')
}
