// From an input schema to a function that tells whether arguments fit: compiled once, never fetched, never slow.
import { _, Ajv, type ErrorObject, type Options } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { canonicalText, type JsonObject, type JsonValue } from 'mcpgw/plugin'
import { RE2JS } from 're2js'
import { Budget, OverBudget } from './budget.ts'
import { prepareSchema, type Schema, stepKeyword } from './prepare.ts'

/** `errors` of the last run; undefined where it fits. */
export interface Compiled {
  run(data: unknown): ErrorObject | 'over-budget' | undefined
  /** It asks for multiples: those of a number without a double of its own are not known. */
  readonly multiples: boolean
}

type Dialect = '2020-12' | '2019-09' | 'draft-07'
const dialects: ReadonlyMap<string, Dialect> = new Map([
  ['https://json-schema.org/draft/2020-12/schema', '2020-12'],
  ['https://json-schema.org/draft/2019-09/schema', '2019-09'],
  ['http://json-schema.org/draft-07/schema', 'draft-07'],
  ['http://json-schema.org/draft-06/schema', 'draft-07'],
])
const makers = { '2020-12': Ajv2020, '2019-09': Ajv2019, 'draft-07': Ajv } as const

const options: Options = { strict: false, logger: false, validateFormats: false, inlineRefs: false, unicodeRegExp: true }

/** A text says why the schema cannot be used. */
export function compileSchema(given: JsonValue): Compiled | string {
  const dialect = dialectOf(given)
  if (dialect === undefined) return 'its `$schema` is none that is known here'
  const prepared = prepareSchema(given)
  if ('unusable' in prepared) return prepared.unusable
  const { schema, multiples } = prepared
  try {
    if (metaOf(dialect)(schema) !== true) return 'it is no valid JSON Schema'
    const budget = new Budget()
    const validate = createAjv(dialect, budget).compile(schema)
    return {
      multiples,
      run(data) {
        budget.begin()
        try {
          // Invariant: nothing but `true` means that it fits.
          if (validate(data) === true) return undefined
          return validate.errors?.at(-1) ?? nothingSaid
        } catch (error) {
          if (error instanceof OverBudget || error instanceof RangeError) return 'over-budget'
          throw error
        }
      },
    }
  } catch (error) {
    return `it cannot be compiled: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`
  }
}

const nothingSaid: ErrorObject = { instancePath: '', schemaPath: '', keyword: '', params: {}, message: 'does not fit' }

function dialectOf(given: JsonValue): Dialect | undefined {
  const said = typeof given === 'object' && given !== null ? (given as JsonObject).$schema : undefined
  if (said === undefined) return '2020-12'
  return typeof said === 'string' ? dialects.get(said.replace(/#$/, '')) : undefined
}

const metas = new Map<Dialect, (schema: Schema) => unknown>()

function metaOf(dialect: Dialect): (schema: Schema) => unknown {
  let meta = metas.get(dialect)
  if (meta === undefined) {
    const ajv = new makers[dialect](options)
    meta = schema => ajv.validateSchema(schema)
    metas.set(dialect, meta)
  }
  return meta
}

/** One a schema: schemas do not know each other's names. */
function createAjv(dialect: Dialect, budget: Budget): Ajv {
  const regExp = (pattern: string) => {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern))
    const width = compiled.programSize() / 16
    return {
      // Invariant: ajv knows patterns by this: equal texts, one pattern.
      toString: () => pattern,
      test(text: string): boolean {
        budget.spend(1 + Math.ceil((text.length * width) / 16))
        return compiled.test(text)
      },
    }
  }
  regExp.code = 'regExp'
  const ajv = new makers[dialect]({ ...options, meta: false, validateSchema: false, code: { regExp } })
  // Invariant: it comes before whatever leads to other subschemas.
  const before = ajv.RULES.rules.find(({ type }) => type === undefined)?.rules[0]?.keyword
  ajv.addKeyword({
    keyword: stepKeyword,
    ...(before !== undefined && { before }),
    schemaType: 'array',
    errors: false,
    validate([cost, perItem, perKey]: readonly [number, number, number], data: unknown) {
      const items = perItem > 0 && Array.isArray(data) ? data.length : 0
      budget.spend(cost + items + (perKey > 0 ? keysOf(data) : 0))
      return true
    },
  })
  // The validator's own compare objects by their methods, of which ours have none.
  for (const keyword of ['enum', 'const']) {
    ajv.removeKeyword(keyword)
    ajv.addKeyword({
      keyword,
      error: { message: 'must be one of those allowed', params: ({ schemaCode }) => _`{allowed: ${schemaCode}}` },
      compile: (given: unknown) => isAmong(keyword === 'const' ? [given] : (given as readonly unknown[])),
    })
  }
  // And this compares each with each.
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must have no two equal items' },
    validate(unique: boolean, items: readonly JsonValue[]) {
      if (!unique || items.length < 2) return true
      budget.spend(items.length)
      return new Set(items.map(canonicalText)).size === items.length
    },
  })
  return ajv
}

function isAmong(allowed: readonly unknown[]): (data: JsonValue) => boolean {
  const plain = new Set(allowed.filter(one => typeof one !== 'object' || one === null))
  const deep = new Set(allowed.filter(one => typeof one === 'object' && one !== null).map(one => canonicalText(one as JsonValue)))
  return data => (typeof data === 'object' && data !== null ? deep.size > 0 && deep.has(canonicalText(data)) : plain.has(data))
}

function keysOf(data: unknown): number {
  return typeof data === 'object' && data !== null && !Array.isArray(data) ? Object.keys(data).length : 0
}
