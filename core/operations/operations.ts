// All operations of a running gateway: the core's and those that plugins offer. Each is found, checked, and performed here alone.
import { Json } from '../mcp/json.ts'
import type { Asker, JsonValue, Log, Operation, OperationAnswer } from '../plugin/index.ts'
import { type Route, routeOf } from './route.ts'

export interface Operations {
  /** Throws where the name or the route is no good, or taken. */
  add(operation: Operation): void
  /** Sorted by name. */
  list(): readonly Operation[]
  /** Whether there is one of this name whose answer is a secret. */
  isSecret(name: string): boolean
  /** `named`: what the parts of the path say; `methods`: of other operations at that path. */
  match(method: string, path: string): { readonly operation: Operation; readonly named: Readonly<Record<string, string>> } | Others
  /** Never rejects. */
  perform(operation: Operation, input: JsonValue, asker: Asker): Promise<Performed>
}
/** As it is answered; what was done has its JSON form. */
export type Performed = Exclude<OperationAnswer, { readonly kind: 'done' }> | { readonly kind: 'done'; readonly value: Json }
export interface Others {
  readonly methods: readonly string[]
}

const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/

export function createOperations(log: Pick<Log, 'error'>): Operations {
  const byName = new Map<string, { readonly operation: Operation; readonly route: Route | undefined }>()

  return {
    add(operation) {
      const { name } = operation
      if (!NAME.test(name)) throw new Error(`"${name}" is no name of an operation: expected lower case words and digits, joined by _`)
      if (byName.has(name)) throw new Error(`the operation "${name}" is there already`)
      const route = operation.route === undefined ? undefined : routeOf(operation.route)
      const twin = route && [...byName.values()].find(other => other.route?.meets(route) === true)
      if (twin !== undefined) throw new Error(`the route of "${name}" is that of "${twin.operation.name}": ${operation.route}`)
      byName.set(name, { operation, route })
    },
    list: () => [...byName.values()].map(({ operation }) => operation).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    isSecret: name => byName.get(name)?.operation.secret === true,
    match(method, path) {
      const there = [...byName.values()].flatMap(({ operation, route }) => {
        const named = route?.read(path)
        return route === undefined || named === undefined ? [] : [{ operation, route, named }]
      })
      return there.find(({ route }) => route.method === method) ?? { methods: there.map(({ route }) => route.method) }
    },
    async perform(operation, input, asker) {
      if (operation.scope === 'gateway' && asker.tenant !== undefined) return NOT_THERE
      try {
        const checked = await operation.input['~standard'].validate(input)
        if (checked.issues !== undefined) return misfit(checked.issues[0])
        const answer = await operation.perform(checked.value, asker)
        // What has no JSON form fails here, where a failure is an answer.
        return answer.kind === 'done' ? { kind: 'done', value: Json.of(answer.value) } : answer
      } catch (error) {
        log.error('an operation failed', {
          operation: operation.name,
          ...(asker.exchange && { callId: asker.exchange.id }),
          error: error instanceof Error ? (error.stack ?? '') : String(error),
        })
        return { kind: 'refused', code: 'unavailable', message: `${operation.name} does not work now; the log of the gateway says why` }
      }
    },
  }
}

const NOT_THERE: Performed = Object.freeze({ kind: 'refused', code: 'not-found', message: 'there is no such operation' })

type Issue = { readonly message: string; readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined }

function misfit(issue: Issue | undefined): Performed {
  const field = issue?.path?.map(part => String(typeof part === 'object' ? part.key : part)).join('.')
  const message = issue?.message ?? 'the input does not fit'
  return { kind: 'refused', code: 'invalid-arguments', message, ...(field !== undefined && field !== '' && { field }) }
}
