// Percent-encoded text as it reads: for each of its characters, where it stands in the text that was given.

/** `origin[i]`: offset in the original of character i, the end included. */
export interface Decoded {
  readonly text: string
  readonly origin: Int32Array
}

const escaped = /%[0-9A-Fa-f]{2}/
const formSpace = /\d{3}\+\d{2,}\+\d/

/** Whether anything of this text may read otherwise once decoded. */
export function mayBePercent(text: string): boolean {
  return text.includes('%') ? escaped.test(text) : text.includes('+') && formSpace.test(text)
}

/** `+` is read as the space that it is in forms. */
export function decodePercent(text: string): Decoded {
  const origin = new Int32Array(text.length + 1)
  let out = ''
  let done = 0
  for (let i = 0; i < text.length; ) {
    const unit = text.charCodeAt(i)
    if (unit === 0x25 && isEscape(text, i)) {
      out += text.slice(done, i)
      let end = i
      while (text.charCodeAt(end) === 0x25 && isEscape(text, end)) end += 3
      for (let at = i; at < end; ) {
        const size = Math.min(sizeOf(byteAt(text, at)), (end - at) / 3)
        const character = Buffer.from(text.slice(at, at + size * 3).replaceAll('%', ''), 'hex').toString('utf8')
        for (let k = 0; k < character.length; k++) origin[out.length + k] = at
        out += character
        at += size * 3
      }
      i = done = end
      continue
    }
    origin[out.length + i - done] = i
    if (unit === 0x2b) {
      out += `${text.slice(done, i)} `
      done = i + 1
    }
    i++
  }
  out += text.slice(done)
  origin[out.length] = text.length
  return { text: out, origin: origin.subarray(0, out.length + 1) }
}

function isEscape(text: string, at: number): boolean {
  return isHexDigit(text.charCodeAt(at + 1)) && isHexDigit(text.charCodeAt(at + 2))
}

function isHexDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || ((code | 0x20) >= 97 && (code | 0x20) <= 102)
}

function byteAt(text: string, at: number): number {
  return Number.parseInt(text.slice(at + 1, at + 3), 16)
}

/** Bytes of the UTF-8 character that begins with this one; 1 for what begins none. */
function sizeOf(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 1
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}
