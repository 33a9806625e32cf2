// Makes what plugins share unchangeable: a plugin that tries gets a TypeError, and its call is refused.

const frozen = new WeakSet<object>()

/** Freezes plain objects and arrays, as deep as they go, in place; done once for each object. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || frozen.has(value) || !isPlain(value)) return value
  frozen.add(value)
  Object.freeze(value)
  for (const key of Reflect.ownKeys(value)) freezeDeep((value as Record<PropertyKey, unknown>)[key])
  return value
}

/** A frozen copy of plain data, so that its maker may go on with the original; anything else is kept as it is. */
export function freezeCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null || frozen.has(value) || !isPlain(value)) return value
  const copy = Array.isArray(value) ? value.map(freezeCopy) : copyObject(value)
  Object.freeze(copy)
  frozen.add(copy)
  return copy as T
}

function copyObject(value: object): object {
  // Not Object.create(null), which V8 makes a hash table: that is dear to fill, to freeze and to write out.
  const copy: Record<string, unknown> = Object.setPrototypeOf({}, null)
  for (const key of Object.keys(value)) copy[key] = freezeCopy((value as Record<string, unknown>)[key])
  return copy
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
