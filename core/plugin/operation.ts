// What the gateway itself can be asked or told: one definition is a tool of its server `gateway`, a route of its HTTP interface and of its control socket.
import type { Exchange } from './exchange.ts'
import type { JsonValue, Payload } from './json.ts'
import type { StandardSchemaV1 } from './schema.ts'
import type { Operator } from './service.ts'

/** A schema that checks and that can be written down; zod's can. Standard JSON Schema (standardschema.dev). */
export interface DescribedSchema<T = unknown> {
  readonly '~standard': StandardSchemaV1<unknown, T>['~standard'] & {
    readonly jsonSchema: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>
      readonly output: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>
    }
  }
}

export interface Operation<I = never> {
  /** Of the tool: lower case, digits and `_`, e.g. `audit_log`. Nobody else has it. */
  readonly name: string
  /** What it does, for whoever chooses among tools. */
  readonly summary: string
  /** `GET /audit/log`; a part `{id}` is the member `id` of the input. Other members come from the query (GET, DELETE) or from a JSON body. Absent: no route. */
  readonly route?: `${'GET' | 'POST' | 'PUT' | 'DELETE'} /${string}`
  /** `calls`: what it does is what the tool does that it calls. */
  readonly effect: 'reads' | 'calls' | 'changes'
  /** `gateway`: it is about all tenants, so that only those who see all of them may use it. */
  readonly scope: 'tenant' | 'gateway'
  /** Of an object; strict: an unknown member is an error. */
  readonly input: DescribedSchema<I>
  /** Of an object. */
  readonly output: DescribedSchema
  /** Its answer holds a secret that is shown this once, such as a new key: nobody stores, keeps or masks it, and the operation `call` does not call it. */
  readonly secret?: true
  /** A change puts itself on record, before it is answered. A throw is a bug or a dependency that is gone; the caller learns no more than that. */
  perform(input: I, asker: Asker): Promise<OperationAnswer>
}

export interface Asker {
  /** What is another tenant's does not exist for it; undefined for whoever sees all tenants. */
  readonly tenant: string | undefined
  /** For the record. */
  readonly actor: Operator
  /** The call by which it asks; absent at the control socket. */
  readonly exchange?: Exchange | undefined
  readonly signal: AbortSignal
}

export type OperationAnswer =
  | { readonly kind: 'done'; readonly value: { readonly [key: string]: JsonValue } }
  /** The result of a tool call that it has made. */
  | { readonly kind: 'passed'; readonly result: Payload }
  /** `field`: of the input. `conflict`: what is there does not allow it. */
  | {
      readonly kind: 'refused'
      readonly code: 'invalid-arguments' | 'not-found' | 'conflict' | 'unavailable'
      readonly message: string
      readonly field?: string
    }

const NOT_YOURS: OperationAnswer = Object.freeze({
  kind: 'refused',
  code: 'invalid-arguments',
  message: 'expected your own tenant',
  field: 'tenant',
})

/** For what names a tenant in its member `tenant`: the refusal of whoever sees one alone and asks for another; undefined where he may ask. */
export function refuseOtherTenant({ tenant }: Pick<Asker, 'tenant'>, asked: string | undefined): OperationAnswer | undefined {
  return tenant === undefined || asked === undefined || asked === tenant ? undefined : NOT_YOURS
}

/** Gives an operation the types of its input. */
export function defineOperation<I>(operation: Operation<I>): Operation {
  return operation as unknown as Operation
}
