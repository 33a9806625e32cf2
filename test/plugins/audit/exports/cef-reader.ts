// Reads CEF by its published grammar, and by nothing of the writer: seven fields of the head, then keys and values.

export interface Cef {
  readonly head: readonly string[]
  readonly fields: ReadonlyMap<string, string>
}

/** Throws where it is none. */
export function readCef(line: string): Cef {
  if (/[\r\n]/.test(line)) throw new Error('more than one line')
  const head: string[] = []
  let at = 0
  while (head.length < 7) {
    let field = ''
    for (; line[at] !== '|'; at++) {
      if (at >= line.length) throw new Error('the head has no end')
      if (line[at] === '\\') at += 1
      field += line[at]
    }
    head.push(field)
    at += 1
  }
  return { head, fields: readFields(line.slice(at)) }
}

/** A key is a word before an equals sign that no backslash escapes; its value goes to the blank before the next one. */
function readFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const keys = [...text.matchAll(/(?:^| )([A-Za-z0-9_]+)=/g)]
  for (const [i, key] of keys.entries()) {
    const end = keys[i + 1]?.index ?? text.length
    const value = text.slice(key.index + key[0].length, end)
    if (/(^|[^\\])(\\\\)*=/.test(value)) throw new Error(`an equals sign in the value of ${key[1]}`)
    if (fields.has(key[1]!)) throw new Error(`${key[1]} twice`)
    fields.set(key[1]!, value.replace(/\\(.)/g, '$1'))
  }
  return fields
}
