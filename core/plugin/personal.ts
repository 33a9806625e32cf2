// What a plugin keeps about people, and how it forgets them: what `mcpgw privacy` asks of each plugin, without starting it.
import type { Clock, Log } from './host.ts'
import type { JsonValue } from './json.ts'
import type { Operator } from './service.ts'
import type { Stores } from './store.ts'

export interface Person {
  /** Of the principal. */
  readonly id: string
  /** Undefined: in whichever tenant. */
  readonly tenant?: string | undefined
  /** Pseudonyms that the record knows them by. */
  readonly subjects: readonly string[]
}

/** What the plugin has at hand: its checked config, and the same stores as the gateway, which may run meanwhile. */
export interface PersonalIo<C = unknown> {
  readonly config: C
  readonly stores: Stores
  readonly clock: Clock
  readonly log: Log
  readonly operator: Operator
}

export interface PersonalData<C = unknown> {
  /** All of it; undefined where there is nothing. Rejects where it cannot be read. */
  export(person: Person, io: PersonalIo<C>): JsonValue | undefined | Promise<JsonValue | undefined>
  /** Afterwards no file and no table of the plugin has it. Once more: nothing happens. Rejects where it cannot be done. */
  erase(person: Person, io: PersonalIo<C>): Erased | Promise<Erased>
}

export interface Erased {
  readonly entries: number
  /** What is left to somebody else, such as an entry in a config file; as a sentence. */
  readonly left?: string
}

/** A plugin of the config that keeps something about people, as a command asks it. */
export interface PersonalHolder {
  readonly plugin: string
  export(person: Person): Promise<JsonValue | undefined>
  erase(person: Person): Promise<Erased>
}
