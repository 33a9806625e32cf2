// The little that is read of a server's line before it is parsed: does it look like a message, and whose answer was it.

/** The first character that is no white space, where it is one of ASCII; undefined for a blank line. */
export function firstCharacter(line: Buffer): string | undefined {
  for (let at = 0; at < line.length; at++) {
    const byte = line[at]!
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return String.fromCharCode(byte)
  }
  return undefined
}

/**
 * The id of an answer whose middle was not kept. Sound without parsing: only a member of the outermost object can stand
 * directly after its opening or directly before its closing brace, and inside a string the quotes would be escaped.
 */
export function findAnsweredId(head: Uint8Array, tail: Uint8Array): number | undefined {
  const begin = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,/.exec(Buffer.from(head).toString('latin1'))
  const end = /,\s*"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(Buffer.from(tail).toString('latin1'))
  const digits = begin?.[1] ?? end?.[1]
  return digits === undefined ? undefined : Number(digits)
}
