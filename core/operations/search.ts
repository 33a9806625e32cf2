// Finds tools by words in large catalogs: how well each name and description fit what is looked for.

export interface Searchable {
  readonly name: string
  readonly description: string
}

/** A word of the name counts as much as so many of the description. */
const NAME_WEIGHT = 4

/** Best first, equal ones in their order; those that have none of the words are left out. All of them where no word is asked for. */
export function search<T extends Searchable>(items: readonly T[], text: string): readonly T[] {
  const wanted = [...new Set(wordsOf(text))]
  if (wanted.length === 0) return items
  const texts = items.map(({ name, description }) => ({ name: wordsOf(name), description: wordsOf(description) }))
  // A word that nearly all have tells little.
  const rarity = wanted.map(word => {
    const having = texts.filter(({ name, description }) => fitOf(name, word) > 0 || fitOf(description, word) > 0).length
    return Math.log(1 + items.length / (1 + having))
  })
  return items
    .map((item, i) => {
      const { name, description } = texts[i]!
      const score = wanted.reduce((sum, word, at) => sum + rarity[at]! * (NAME_WEIGHT * fitOf(name, word) + fitOf(description, word)), 0)
      return { item, score }
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ item }) => item)
}

/** 1 for the word itself, half for a longer one that begins with it. */
function fitOf(words: readonly string[], wanted: string): number {
  if (words.includes(wanted)) return 1
  return wanted.length > 2 && words.some(word => word.startsWith(wanted)) ? 0.5 : 0
}

function wordsOf(text: string): readonly string[] {
  return text
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(word => word !== '')
}
