// How much of a call is kept: what the config says, or more where a policy asks for it with `log(level)`. Never less.
import { type DischargeVerdict, deny, type Exchange, type Hooks, pass } from 'mcpgw/plugin'

export const levels = ['meta', 'args', 'full'] as const
/** `meta`: who, what, when and how it ended. `args`: also the masked arguments. `full`: also the masked result, but for one that is a secret. */
export type Level = (typeof levels)[number]

export interface Levels {
  of(x: Exchange): Level
  readonly discharge: NonNullable<Hooks['discharge']>
}

export function createLevels(usual: Level): Levels {
  const wanted = new WeakMap<Exchange, Level>()
  const of = (x: Exchange): Level => {
    const level = wanted.get(x) ?? usual
    return level === 'full' && x.resource.kind === 'call' && x.resource.secret === true ? 'args' : level
  }
  return {
    of,
    discharge({ args }, stage): DischargeVerdict {
      const [only, ...others] = args
      const level = levels.find(one => one === only?.value)
      if (level === undefined || only?.name !== undefined || others.length > 0)
        return deny('unmet-obligation', 'denied', { detail: 'log takes one level: log(meta), log(args) or log(full)' })
      if (stage.at === 'request' && levels.indexOf(level) > levels.indexOf(of(stage.exchange))) wanted.set(stage.exchange, level)
      return pass
    },
  }
}
