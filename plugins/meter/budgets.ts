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

/** A call that is counted in each budget that it is of. */
export interface Reservation {
  readonly parts: readonly { readonly account: Account; readonly reserved: number }[]
}

/** A budget that has no room. */
export interface Exhausted {
  readonly by: 'tenant' | 'consumer'
  readonly text: string
  /** Until the period ends. */
  readonly waitMs: number
}

export interface Budgets {
  /** Takes from every budget of `who`, or from none. `units`: what the call costs at least. */
  reserve(who: Who, units: number, now: number): Reservation | Exhausted
  /** What became of it; undefined: it was no call after all. */
  settle(reservation: Reservation, units: number | undefined): void
  /** The periods that there are budgets for, as they are now. */
  periods(now: number): readonly Period[]
  /** Remembers what is counted here so far: the store, read from now on, has it too. */
  mark(): Mark
  /** What the store has of a period, in place of what was counted here before the mark. */
  load(period: Period, used: readonly Used[], mark: Mark): void
  /** How many are used up to their warning, and how many wholly. */
  standing(): { readonly warned: number; readonly exhausted: number }
}

export type Mark = ReadonlyMap<Account, number>

/** Of one budget and one whom it counts. Calls, or thousandths of a unit. */
interface Account {
  readonly rule: Rule
  readonly key: string
  readonly period: Period
  /** In the store. */
  stored: number
  /** Settled here, and not in `stored`. */
  settled: number
  reserved: number
  isWarned: boolean
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

  function accountOf(rule: Rule, who: Who, period: Period): Account {
    const own = accounts.get(rule)!
    const key = rule.keyOf(who)
    let account = own.get(key)
    if (account === undefined || account.period.from !== period.from) {
      account = { rule, key, period, stored: 0, settled: 0, reserved: 0, isWarned: false }
      own.set(key, account)
    }
    return account
  }

  function watch(account: Account): void {
    if (account.isWarned || usedOf(account) < (account.rule.most * account.rule.warnAt) / 100) return
    account.isWarned = true
    onWarning(describe(account))
  }

  return {
    reserve(who, units, now) {
      const parts = rules
        .filter(rule => rule.covers(who))
        .map(rule => ({ account: accountOf(rule, who, periodAt(rule.period, now)), reserved: rule.calls === undefined ? units : 1 }))
      const full = parts.find(({ account, reserved }) => reserved > 0 && usedOf(account) + reserved > account.rule.most)?.account
      if (full !== undefined) {
        watch(full)
        return { by: full.rule.consumer === undefined ? 'tenant' : 'consumer', text: describe(full), waitMs: full.period.to - now }
      }
      for (const { account, reserved } of parts) account.reserved += reserved
      return { parts }
    },
    settle({ parts }, units) {
      for (const { account, reserved } of parts) {
        account.reserved -= reserved
        if (units !== undefined) account.settled += account.rule.calls === undefined ? units : 1
        watch(account)
      }
    },
    periods(now) {
      return [...new Set(rules.map(({ period }) => period))].map(kind => periodAt(kind, now))
    },
    mark: () => new Map([...accounts.values()].flatMap(own => [...own.values()].map(account => [account, account.settled] as const))),
    load(period, used, mark) {
      for (const [rule, own] of accounts) {
        if (periodAt(rule.period, period.from).to !== period.to) continue
        const stored = new Map<Account, number>()
        for (const one of used) {
          if (!rule.covers(one)) continue
          const account = accountOf(rule, one, period)
          stored.set(account, (stored.get(account) ?? 0) + (rule.calls === undefined ? one.units : one.calls))
        }
        for (const account of own.values()) {
          if (account.period.from !== period.from) own.delete(account.key)
          account.stored = stored.get(account) ?? 0
          account.settled -= mark.get(account) ?? 0
          watch(account)
        }
      }
    },
    standing() {
      const all = [...accounts.values()].flatMap(own => [...own.values()])
      return {
        warned: all.filter(account => account.isWarned).length,
        exhausted: all.filter(account => usedOf(account) + 1 > account.rule.most).length,
      }
    },
  }
}

const usedOf = ({ stored, settled, reserved }: Account): number => stored + settled + reserved

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
