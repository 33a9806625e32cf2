// Texts of a document that people and models read, cut where they are longer than anybody reads.

const MAX_TEXT = 4000

/** Never within a character. */
export function cutProse(text: string): string {
  return text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT).replace(/[\ud800-\udbff]$/, '')
}
