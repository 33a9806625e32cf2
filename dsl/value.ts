// Values as conditions see them: no prototype anywhere, integers exact.

/**
 * Normalised from JSON: objects are Maps; an integer (as its text says) is a bigint, any other number a double;
 * where the schema of a field says `number` it is a double too. Timestamps are Dates.
 */
export type Value = null | boolean | string | bigint | number | Date | readonly Value[] | ReadonlyMap<string, Value>
