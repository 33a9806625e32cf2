// Budgets: what a tenant or consumer may use in a day or month. A call counts from when it is let in, so that many at once cannot pass a limit together.
import { compileGlob } from 'mcpgw/plugin'
import type { BudgetConfig } from './config.ts'
import { type Period, periodAt } from './periods.ts'

export interface Who {
  readonly tenant: string
  readonly id: string
}

/** What somebody used, as the store has it. */
export interface Used extends Who {
  readonly calls: number
  /** Thousandths of a unit. */
  readonly units: number
}

/** A call that is counted in each budget that it is of: as reserved, then as it ended, then as the record says. */
export interface Reservation {
  readonly call: string
  readonly who: Who
  readonly parts: readonly Part[]
  isRecorded: boolean
}

/** `held`: what the call takes of the account now, which is in no store as far as is known. */
interface Part {
  readonly account: Account
  held: number
}

/** A budget that has no room. */
export interface Exhausted {
  readonly by: 'tenant' | 'consumer'
  readonly text: string
  /** Until the period ends. */
  readonly waitMs: number
}

/** What the record says of a call that ended. */
export interface Recorded {
  readonly seq: number
  readonly call: string
  /** ms since 1970: the window that the store has it in. */
  readonly at: number
  readonly isCall: boolean
  /** Thousandths of a unit. */
  units(): number
}

export interface Budgets {
  /** Takes from every budget of `who`, or from none. `units`: what the call costs at least. */
  reserve(call: string, who: Who, units: number, now: number): Reservation | Exhausted
  /** What became of it; undefined: it was no call after all. */
  settle(reservation: Reservation, units: number | undefined): void
  /** Each call once, in the order of `seq`, before the store can have it. */
  record(call: Recorded): void
  /** The periods that there are budgets for, as they are now. */
  periods(now: number): readonly Period[]
  /** Before the store is read: what is recorded from now on is kept apart. Returns the last `seq` that was recorded before. */
  begin(): number
  /** What the store has of each period, in place of what was recorded here; `through`: the last record that is in it, not before what `begin` returned. */
  load(read: readonly { readonly period: Period; readonly used: readonly Used[] }[], through: number): void
  /** How many are used up to their warning, and how many wholly. */
  standing(): { readonly warned: number; readonly exhausted: number }
}

/** Of one budget and one whom it counts. Calls, or thousandths of a unit. */
interface Account {
  readonly rule: Rule
  readonly key: string
  readonly period: Period
  /** In the store when it was read, and recorded since. */
  recorded: number
  /** Of calls that are under way, or whose end is not recorded yet. */
  held: number
  isWarned: boolean
  isExhausted: boolean
}

interface Rule extends BudgetConfig {
  readonly most: number
  readonly covers: (who: Who) => boolean
  readonly keyOf: (who: Who) => string
}

/** `onWarning`: an account reached its warning, or its end; once for each. */
export function createBudgets(configs: readonly BudgetConfig[], onWarning: (text: string) => void): Budgets {
  const rules = configs.map(compileRule)
  const accounts = new Map<Rule, Map<string, Account>>(rules.map(rule => [rule, new Map()]))
  const pending = new Map<string, Reservation>()
  // Kept while the store is being read: which of it the store has is known afterwards.
  let fresh: { readonly seq: number; readonly account: Account; readonly amount: number }[] | undefined
  let last = 0
  let [warned, exhausted] = [0, 0]

  function accountOf(rule: Rule, who: Who, period: Period): Account {
    const own = accounts.get(rule)!
    const key = rule.keyOf(who)
    let account = own.get(key)
    if (account === undefined || account.period.from !== period.from) {
      if (account !== undefined) drop(account)
      account = { rule, key, period, recorded: 0, held: 0, isWarned: false, isExhausted: false }
      own.set(key, account)
    }
    return account
  }

  function drop(account: Account): void {
    accounts.get(account.rule)!.delete(account.key)
    if (account.isWarned) warned -= 1
    noteExhausted(account)
  }

  /** One that gave way to another period counts for nothing any more. */
  const isCurrent = (account: Account): boolean => accounts.get(account.rule)!.get(account.key) === account

  function noteExhausted(account: Account): void {
    const isExhausted = isCurrent(account) && usedOf(account) + 1 > account.rule.most
    if (isExhausted !== account.isExhausted) exhausted += isExhausted ? 1 : -1
    account.isExhausted = isExhausted
  }

  function watch(account: Account): void {
    noteExhausted(account)
    if (!isCurrent(account) || account.isWarned || usedOf(account) < (account.rule.most * account.rule.warnAt) / 100) return
    account.isWarned = true
    warned += 1
    onWarning(describe(account))
  }

  return {
    reserve(call, who, units, now) {
      const parts = rules
        .filter(rule => rule.covers(who))
        .map(rule => ({ account: accountOf(rule, who, periodAt(rule.period, now)), held: rule.calls === undefined ? units : 1 }))
      const full = parts.find(({ account, held }) => held > 0 && usedOf(account) + held > account.rule.most)?.account
      if (full !== undefined) {
        watch(full)
        return { by: full.rule.consumer === undefined ? 'tenant' : 'consumer', text: describe(full), waitMs: full.period.to - now }
      }
      for (const { account, held } of parts) {
        account.held += held
        noteExhausted(account)
      }
      const reservation = { call, who, parts, isRecorded: false }
      if (parts.length > 0) pending.set(call, reservation)
      return reservation
    },
    settle({ call, parts, isRecorded }, units) {
      // What the record says came first, and is what the store has.
      if (isRecorded) return
      if (units === undefined) pending.delete(call)
      for (const part of parts) {
        const { account, held } = part
        part.held = units === undefined ? 0 : account.rule.calls === undefined ? units : 1
        account.held += part.held - held
        watch(account)
      }
    },
    record({ seq, call, at, isCall, units }) {
      last = seq
      const reservation = pending.get(call)
      if (reservation === undefined) return
      pending.delete(call)
      reservation.isRecorded = true
      for (const { account: first, held } of reservation.parts) {
        first.held -= held
        watch(first)
        // A call that ends in the next period is in the store there.
        const account = at < first.period.to ? first : accountOf(first.rule, reservation.who, periodAt(first.rule.period, at))
        const amount = account.rule.calls === undefined ? units() : Number(isCall)
        account.recorded += amount
        fresh?.push({ seq, account, amount })
        watch(account)
      }
    },
    periods(now) {
      return [...new Set(rules.map(({ period }) => period))].map(kind => periodAt(kind, now))
    },
    begin() {
      fresh = []
      return last
    },
    load(read, through) {
      const later = (fresh ?? []).filter(({ seq }) => seq > through)
      fresh = undefined
      for (const { period, used } of read) {
        for (const [rule, own] of accounts) {
          if (periodAt(rule.period, period.from).to !== period.to) continue
          const stored = new Map<Account, number>()
          for (const one of used) {
            if (!rule.covers(one)) continue
            const account = accountOf(rule, one, period)
            stored.set(account, (stored.get(account) ?? 0) + (rule.calls === undefined ? one.units : one.calls))
          }
          for (const account of own.values()) {
            if (account.period.from !== period.from) drop(account)
            else account.recorded = stored.get(account) ?? 0
          }
          for (const { account, amount } of later) if (account.rule === rule && isCurrent(account)) account.recorded += amount
          for (const account of own.values()) watch(account)
        }
      }
      for (const [call, { parts }] of pending) if (!parts.some(({ account }) => isCurrent(account))) pending.delete(call)
    },
    standing: () => ({ warned, exhausted }),
  }
}

const usedOf = ({ recorded, held }: Account): number => recorded + held

function compileRule(config: BudgetConfig): Rule {
  const { tenant, consumer, calls, units } = config
  const [isTenant, isConsumer] = [tenant, consumer].map(glob => (glob === undefined ? () => true : compileGlob(glob)))
  return {
    ...config,
    most: calls ?? units!,
    covers: who => isTenant!(who.tenant) && isConsumer!(who.id),
    keyOf: who => (consumer === undefined ? who.tenant : JSON.stringify([who.tenant, who.id])),
  }
}

function describe(account: Account): string {
  const { rule, key } = account
  const [used, most] = [usedOf(account), rule.most].map(amount => (rule.calls === undefined ? amount / 1000 : amount))
  // Without the id: what is logged or recorded of it cannot be taken back when somebody is forgotten. The record of the refusal has its caller sealed.
  const whose = rule.consumer === undefined ? `tenant ${key}` : `a consumer of tenant ${(JSON.parse(key) as [string, string])[0]}`
  return `${whose}: ${used} of ${most} ${rule.calls === undefined ? 'units' : 'calls'} this ${rule.period}`
}
