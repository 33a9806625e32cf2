// What roles, ids and names may look like, wherever they come from.

// A comma, a space or a wildcard in a role would mean something else to whoever reads it next.
export const rolePattern: RegExp = /^[A-Za-z0-9_.:-]{1,64}$/
export const idPattern: RegExp = /^[A-Za-z0-9_.:@/+-]{1,128}$/
/** Printable text of one line. */
export const namePattern: RegExp = /^[^\p{Cc}\p{Zl}\p{Zp}]{1,128}$/u
