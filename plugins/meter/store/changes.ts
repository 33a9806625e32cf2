// Which rows somebody has not seen: a cursor that says through which change he looked, and which windows had ended then.

export interface ChangesCursor {
  /** Rows with a later change are new. */
  readonly change: number
  /** Rows of windows that ended after this are new, too. */
  readonly endedBy: number
  /** A look that is not through: what it began with, and the last row that it gave. */
  readonly look?: { readonly change: number; readonly endedBy: number; readonly row: number } | undefined
}

/** Of somebody who has seen none. */
export const NOTHING: ChangesCursor = { change: 0, endedBy: Number.MIN_SAFE_INTEGER }

export function writeCursor({ change, endedBy, look }: ChangesCursor): string {
  return [change, endedBy, ...(look === undefined ? [] : [look.change, look.endedBy, look.row])].join(' ')
}

/** Throws where it is none of ours. */
export function readCursor(text: string | undefined): ChangesCursor {
  if (text === undefined) return NOTHING
  const numbers = text.split(' ').map(Number)
  if ((numbers.length !== 2 && numbers.length !== 5) || !numbers.every(Number.isSafeInteger))
    throw new Error(`${JSON.stringify(text)} is no cursor of usage`)
  const [change, endedBy, lookChange, lookEnded, row] = numbers as [number, number, number?, number?, number?]
  return { change, endedBy, ...(row !== undefined && { look: { change: lookChange!, endedBy: lookEnded!, row } }) }
}

/** How a row is told that somebody with such a cursor may not have: `?` its `change`, then its `endedBy`. Months are nobody's. */
export const UNSEEN_SQL = 'span = 0 AND (changed > ? OR finish > ?)'
