// What the operation `usage` is answered from, in a process of its own: a long report reads many rows at once.
import type { ApartWork } from 'mcpgw/plugin'
import { describeReport } from './commands/render.ts'
import { makeReport, type ReportQuestion, type WhoIs } from './commands/report.ts'
import type { MeterConfig } from './config.ts'
import { openUsage } from './store/open.ts'

export interface UsageReading {
  readonly config: Pick<MeterConfig, 'path'>
  readonly question: ReportQuestion
}
/** What is asked of the gateway, which knows the record: who these pseudonyms stand for. */
export interface UsageQuestion {
  readonly subjects: readonly string[]
}
export type UsageReply = Awaited<ReturnType<WhoIs>>

export const work: ApartWork = async ({ input, stores, ask }) => {
  const { config, question } = input as UsageReading
  const store = await openUsage(stores, config, 'read')
  try {
    const whoIs: WhoIs = async subjects => (await ask({ subjects } satisfies UsageQuestion)) as UsageReply
    return describeReport(await makeReport(store, whoIs, question), question)
  } finally {
    await store.close()
  }
}
