// What a name looks like: two names of one skeleton are hard to tell apart.

// Letters of other scripts that have the shape of a Latin one, after lower case.
const shapes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    а: 'a',
    ɑ: 'a',
    α: 'a',
    ь: 'b',
    с: 'c',
    ϲ: 'c',
    ԁ: 'd',
    е: 'e',
    ё: 'e',
    ҽ: 'e',
    ց: 'g',
    һ: 'h',
    і: 'i',
    ї: 'i',
    ι: 'i',
    ı: 'i',
    ј: 'j',
    к: 'k',
    κ: 'k',
    ӏ: 'l',
    м: 'm',
    п: 'n',
    ո: 'n',
    о: 'o',
    ο: 'o',
    σ: 'o',
    օ: 'o',
    р: 'p',
    ρ: 'p',
    ԛ: 'q',
    г: 'r',
    ѕ: 's',
    т: 't',
    τ: 't',
    υ: 'u',
    ս: 'u',
    ѵ: 'v',
    ν: 'v',
    ԝ: 'w',
    ω: 'w',
    х: 'x',
    χ: 'x',
    у: 'y',
    γ: 'y',
    0: 'o',
    1: 'l',
    '|': 'l',
    '-': '_',
  }),
)

export function skeletonOf(name: string): string {
  const plain = name
    // A capital I has the shape of l.
    .replaceAll('I', 'l')
    .normalize('NFKD')
    .replace(/[\p{M}\p{Default_Ignorable_Code_Point}\s]/gu, '')
    .toLowerCase()
  return Array.from(plain, char => shapes.get(char) ?? char).join('')
}

/** Groups of two and more that look alike. */
export function lookAlikes(names: Iterable<string>): readonly (readonly string[])[] {
  const groups = new Map<string, Set<string>>()
  for (const name of names) {
    const skeleton = skeletonOf(name)
    const group = groups.get(skeleton)
    if (group === undefined) groups.set(skeleton, new Set([name]))
    else group.add(name)
  }
  return [...groups.values()].filter(group => group.size > 1).map(group => [...group])
}

/** The characters of a name that no keyboard of its readers has, written out. */
export function spelledOut(name: string): string {
  const odd = [...new Set(Array.from(name).filter(char => !/[ -~]/.test(char)))]
  return odd.length === 0
    ? ''
    : ` (with ${odd.map(char => `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`).join(', ')})`
}
