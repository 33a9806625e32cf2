// The spellings of one secret value that are looked for: as it is, escaped for JSON or a URL, in base64 and in hex.

/** Values below this many bytes are not looked for: they would shred ordinary text. */
export const minSecretBytes: number = 8

/** Every spelling of `value`, without duplicates; none is shorter than `minSecretBytes`. */
export function spell(value: string): string[] {
  const bytes = Buffer.from(value)
  const hex = bytes.toString('hex')
  const escaped = escapeJson(value)
  const forms = [value, escaped, escapeJson(escaped), hex, hex.toUpperCase()]
  for (const form of [...percentForms(bytes.toString()), `%${hex.match(/../g)?.join('%')}`]) {
    forms.push(
      form,
      upperPercent(form),
      form.replace(/%[0-9A-F]{2}/g, hit => hit.toLowerCase()),
    )
  }
  for (const before of [0, 1, 2]) {
    const form = base64Inside(bytes, before)
    forms.push(form, form.replaceAll('+', '-').replaceAll('/', '_'))
  }
  return [...new Set(forms)]
}

export function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** Languages differ in which punctuation of a URL they leave as it is: JavaScript's two, RFC 3986, HTML forms; each with `/` kept, and with `+` for spaces. */
function percentForms(value: string): string[] {
  const component = encodeURIComponent(value)
  const strict = component.replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const form = new URLSearchParams([['', value]]).toString().slice(1)
  const bases = [component, strict, form, encodeURI(value)].flatMap(base => [base, base.replaceAll('%2F', '/')])
  return bases.flatMap(base => [base, base.replaceAll('%20', '+')])
}

function upperPercent(form: string): string {
  return form.replace(/%[0-9a-f]{2}/g, hit => hit.toUpperCase())
}

/**
 * The base64 characters that depend on these bytes alone where `before` (mod 3) unknown bytes stand before them in the encoded whole.
 * At either end a character that is shared with a neighbour is left out: it carries at most four bits of the value.
 */
function base64Inside(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replace(/=+$/, '')
  const bits = (before + bytes.length) * 8
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6))
}
