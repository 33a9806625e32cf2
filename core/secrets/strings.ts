// Walks the strings and numbers of a JSON text without rebuilding the rest, and undoes JSON escapes.

/** True for a whole JSON object, array or string. */
export function isJsonText(text: string): boolean {
  if (!/^[\s]*["[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/**
 * `text` with each string replaced by what `clean` makes of it (decoded), and each number that `clean` changes by a string.
 * All other characters stay. `text` is JSON, and so is what comes back.
 */
export function mapScalars(text: string, clean: (scalar: string) => string): string {
  let out = ''
  let done = 0
  while (done < text.length) {
    const open = text.indexOf('"', done)
    if (open < 0) break
    const close = findClose(text, open)
    const source = text.slice(open, close + 1)
    const decoded = JSON.parse(source) as string
    const cleaned = clean(decoded)
    out += mapNumbers(text.slice(done, open), clean) + (cleaned === decoded ? source : JSON.stringify(cleaned))
    done = close + 1
  }
  return out + mapNumbers(text.slice(done), clean)
}

// Invariant: between strings JSON has digits in numbers only.
function mapNumbers(text: string, clean: (scalar: string) => string): string {
  return text.replace(/-?\d[\d.eE+-]*/g, number => {
    const cleaned = clean(number)
    return cleaned === number ? number : JSON.stringify(cleaned)
  })
}

/** The quote that ends the string whose first quote stands at `open`: the next one with an even number of backslashes before it. */
function findClose(text: string, open: number): number {
  let close = text.indexOf('"', open + 1)
  while (close >= 0) {
    let slash = close
    while (text[slash - 1] === '\\') slash--
    if ((close - slash) % 2 === 0) return close
    close = text.indexOf('"', close + 1)
  }
  throw new Error('an unterminated string in a text that was parsed as JSON')
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** Undoes one level of JSON escapes wherever they stand; the same string where there are none. */
export function unescapeJson(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))/g, (_, hex: string | undefined, char: string) =>
    hex === undefined ? (escapes[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
