// What commands show who is held to the other tenant.
import type { Known } from './tenants-asks.ts'
import type { World } from './tenants-world.ts'

const OTHER = ['--tenant', 'globex']

export interface Read {
  readonly command: string
  readonly words: readonly string[]
}

/** Every command that takes a tenant, in each of its forms; about people and records of the first tenant, too. */
export async function readsOf(world: World, known: Known): Promise<Read[]> {
  const read = (command: string, ...words: string[]): Read => ({ command, words: [...command.split(' '), ...words, ...OTHER] })
  const days = `${day(-1)}..${day(1)}`
  const whole = JSON.parse((await world.say(['audit', 'log', '--all', '--json', '--limit', '1000'])).text) as {
    records: { stream: string; seq: number; tenant?: string; callId?: string }[]
  }
  const theirs = whole.records.filter(one => one.tenant === world.names.tenant)
  if (theirs.length === 0) throw new Error('nothing is on record of the first tenant')
  const own = theirs.find(one => one.callId !== undefined)
  const bys = ['tenant', 'consumer', 'server', 'tool', 'hour', 'day', 'month', 'outcome', 'consumer,server,tool,outcome']
  return [
    ...[
      ['--all', '--json', '--limit', '1000'],
      ['--all'],
      ['--json', '--limit', '1000'],
      ['--text', 'policy'],
      ['--intents'],
      ['--after', 'start'],
    ].map(one => read('audit log', ...one)),
    ...[[], ['--json'], ['--consumer', 'agent']].map(one => read('audit stats', ...one)),
    ...[['--contents'], ['--status', 'refused'], ['--type', 'key.create']].map(one => read('audit export', '--format', 'csv', ...one)),
    ...['text', 'json', 'markdown'].map(format => read('audit report', '--period', days, '--format', format)),
    read('audit prove', `${theirs[0]!.stream}:${theirs[0]!.seq}`),
    ...(own?.callId === undefined ? [] : [read('audit prove', own.callId)]),
    ...['agent', known.agent, 'nobody'].map(id => read('privacy export', '--subject', id)),
    ...[[], ['--json']].map(one => read('kill', '--list', ...one)),
    ...['keys list', 'credentials list'].flatMap(command => [[], ['--json']].map(one => read(command, ...one))),
    ...[[], ['--all'], ['--all', '--json']].map(one => read('approvals list', ...one)),
    ...bys.flatMap(by => ['json', 'table', 'csv'].map(format => read('usage', '--by', by, '--period', days, '--format', format))),
    ...['agent', known.agent].map(id => read('usage', id, '--period', days)),
    read('usage', '--reconcile', '--period', days),
  ]
}

/** What is counted of the other tenant: equal, whatever is counted of the first. */
export async function countsIn({ say }: World): Promise<unknown> {
  const json = async (...words: string[]): Promise<unknown> => JSON.parse((await say([...words, ...OTHER])).text) as unknown
  const { keys, ...rest } = (await json('keys', 'list', '--json')) as { keys: { principal: string; state: string }[] }
  const { rows } = (await json(
    'usage',
    '--by',
    'consumer,server,tool,outcome',
    '--period',
    `${day(-1)}..${day(1)}`,
    '--format',
    'json',
  )) as { rows: unknown }
  return { keys: keys.map(({ principal, state }) => [principal, state]), rest, rows }
}

/** As a date, so many days from today. */
const day = (from: number): string => new Date(Date.now() + from * 86_400_000).toISOString().slice(0, 10)
