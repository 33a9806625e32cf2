// A report as people read it: the same sections as plain text and as Markdown.
import { alignColumns, printable } from 'mcpgw/plugin'
import type { Counts } from './report-population.ts'
import type { Report } from './report-result.ts'

interface Section {
  readonly title: string
  readonly facts: readonly (readonly [name: string, value: string])[]
  /** With a header. */
  readonly table?: readonly (readonly string[])[]
}

/** A page has room for so many; JSON has all. */
const ROWS = 20

export const formats = {
  text: (report: Report): string => sectionsOf(report).map(writeText).join('\n'),
  json: (report: Report): string => `${JSON.stringify(report, null, 2)}\n`,
  markdown: (report: Report): string => `# Audit report\n\n${sectionsOf(report).map(writeMarkdown).join('\n')}`,
}
export const isFormat = (name: unknown): name is keyof typeof formats => typeof name === 'string' && Object.hasOwn(formats, name)

function sectionsOf({ log, madeAt, period, tenant, completeness, checkpoint, population, course, sample }: Report): readonly Section[] {
  const { why, broken, upTo } = completeness
  return [
    {
      title: 'Period',
      facts: [
        ['from', period.from],
        ['up to', `${period.to} (not included)`],
        ['tenant', tenant ?? 'all'],
        ['log', log],
        ['made', madeAt],
      ],
    },
    {
      title: `Completeness: ${completeness.period}`,
      facts: [
        ['whole log', `${completeness.verdict}, ${completeness.records} records, of which ${completeness.proven} are proven`],
        ['proven up to', upTo === null ? '-' : `the checkpoint of ${upTo}`],
        ...why.map(one => ['not proven', one] as const),
        ...(broken === null ? [] : [['finding', broken] as const]),
        [
          'own checkpoints',
          completeness.checkpoints === null ? 'not checked, there is no verifier' : `${completeness.checkpoints} checked`,
        ],
        ['newest', checkpoint === null ? 'none' : `${checkpoint.at}, root ${checkpoint.root}, ${checkpoint.streams} streams`],
        ...(checkpoint?.anchors ?? []).map(({ place, state }) => ['anchor', `${place}: ${state}`] as const),
        ['taken out', `${completeness.retired} records, by tombstones`],
      ],
    },
    {
      title: 'Population',
      facts: [
        ['records', String(population.records)],
        ['calls', describe(population.calls.total, population.calls.outcomes)],
        ['refusals', describe(population.refusals.total, population.refusals.codes)],
        ['administration', list(population.administration)],
        ['reads of the log', String(population.reads)],
        ['consumers', String(population.consumers)],
        ['servers', String(population.servers)],
        ['tools', String(population.tools.length)],
        ['by type', list(population.types)],
      ],
    },
    {
      title: 'Tools',
      facts: rest(population.tools.length),
      table: [
        ['SERVER', 'TOOL', 'CALLS', 'ERRORS', 'REFUSED'],
        ...population.tools
          .slice(0, ROWS)
          .map(({ server, target, calls, errors, refused }) => [server ?? '-', target, ...[calls, errors, refused].map(String)]),
      ],
    },
    {
      title: 'Streams',
      facts: rest(course.streams.length),
      table: [
        ['STREAM', 'FIRST', 'LAST', 'RECORDS', 'PROVEN', 'FROM', 'TO'],
        ...course.streams
          .slice(0, ROWS)
          .map(one => [one.stream, ...[one.first, one.last, one.records, one.proven].map(String), one.from, one.to]),
      ],
    },
    {
      title: 'Irregularities',
      facts: [
        ['calls without an end', describe(course.open.length, {}, course.open.slice(0, ROWS).join(' '))],
        ['calls closed as unknown', String(course.unknown)],
        ['ends without an intent', `${completeness.unannounced} in the whole log`],
        ['steps of the clock', String(course.clockSteps)],
        ['failures of the log', `${course.recovered}, ${course.late} records written late`],
        ['records without a policy', String(course.undecided)],
      ],
    },
    {
      title: 'Settings',
      facts: [
        ['durability', list(course.durability)],
        ['versions', course.gatewayVersions.join(', ') || '-'],
        ...course.pluginOrders.map(one => ['plugins', one.join(', ')] as const),
        ...course.configs.map(files => ['config', files.map(({ file, digest }) => `${file} ${digest}`).join(', ')] as const),
      ],
    },
    {
      title: `Sample: ${sample.records.length} of ${sample.of}`,
      facts: [
        ['seed', sample.seed],
        ['proof of one', 'mcpgw audit prove ID'],
      ],
      table: [
        ['ID', 'TIME', 'STATUS', 'CONSUMER', 'SERVER', 'TOOL', 'DECISION'],
        ...sample.records.map(one => [
          one.id,
          one.at,
          one.status ?? one.type,
          ...[one.consumer, one.server, one.target, one.decision].map(cell => cell ?? '-'),
        ]),
      ],
    },
  ]
}

const rest = (count: number): Section['facts'] => (count > ROWS ? [['not shown', `${count - ROWS} more; --format json has all`]] : [])
const list = (counts: Counts): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none'
const describe = (total: number, counts: Counts, names: string = list(counts)): string => (total === 0 ? '0' : `${total}: ${names}`)

function writeText({ title, facts, table }: Section): string {
  const rows = facts.map(([name, value]) => [`  ${name}`, value])
  return `${title.toUpperCase()}\n${alignColumns(rows)}${table === undefined ? '' : alignColumns(table)}`
}

function writeMarkdown({ title, facts, table }: Section): string {
  const lines = facts.map(([name, value]) => `- ${name}: ${markdown(value)}\n`)
  const rows = (table ?? []).map(row => `| ${row.map(markdown).join(' | ')} |\n`)
  if (table !== undefined) rows.splice(1, 0, `|${table[0]!.map(() => ' --- |').join('')}\n`)
  return `## ${title}\n\n${lines.join('')}${lines.length > 0 && rows.length > 0 ? '\n' : ''}${rows.join('')}`
}

/** On one line, and nothing in it that Markdown or HTML acts on. */
function markdown(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>|#!~&$]/g, '\\$&')
}
