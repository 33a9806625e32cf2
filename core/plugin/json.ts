// JSON as plugins see it: exact numbers, objects without a prototype, and the scanned text beside the tree.

/** Any JSON value. Objects have a null prototype (`__proto__` is an ordinary key) and everything is frozen. */
export type JsonValue = null | boolean | number | string | ExactNumber | JsonArray | JsonObject
export type JsonArray = readonly JsonValue[]
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/**
 * A number whose source text a JavaScript number would change (`9007199254740993`, `1.0`, `-0`, `1e400`).
 * It serialises back to exactly `text`; compare it as text or as a decimal, never with `Number()`.
 */
export class ExactNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
    Object.freeze(this)
  }
}

/**
 * One strictly scanned JSON value (UTF-8, no duplicate keys, bounded depth and size).
 * `bytes` is what was received, or what the gateway serialised; `text` and `value` are made on first use and kept.
 */
export interface Payload {
  readonly bytes: Uint8Array
  readonly text: string
  readonly value: JsonValue
}
