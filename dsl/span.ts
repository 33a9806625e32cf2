// Where something stands in a policy file: offsets for machines, line and column for people.

/** A policy file as text. `file` is the name shown in findings. */
export interface Source {
  readonly file: string
  readonly text: string
}

/** Half-open range of UTF-16 offsets in the text of `file`. */
export interface Span {
  readonly file: string
  readonly start: number
  readonly end: number
}

/** Both from 1; `column` counts UTF-16 units. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Of an offset in a text; lines end with LF, CRLF or CR. */
export function positionOf(text: string, offset: number): Position {
  let line = 1
  let from = 0
  for (let i = 0; i < offset && i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 10 || (unit === 13 && text.charCodeAt(i + 1) !== 10)) {
      line++
      from = i + 1
    }
  }
  return { line, column: offset - from + 1 }
}
