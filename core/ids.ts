// Ids of exchanges: unique over all boots of all instances, in the order of time.
import { randomBytes } from 'node:crypto'

/** `<ms since 1970, base 36>-<boot>-<counter, base 36>`: about 25 characters, sorts by time as text until the year 2059. */
export function createIds(boot: string = randomBytes(5).toString('hex')): (now: number) => string {
  let counter = 0
  return now => `${now.toString(36)}-${boot}-${(counter++).toString(36).padStart(6, '0')}`
}
