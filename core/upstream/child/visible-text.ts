// Makes foreign text safe to print: no control character, no direction override, no line of its own in a log.

// Controls, invisible format characters (direction marks, zero width, byte order mark), line and paragraph separators.
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

export function showControls(text: string): string {
  return text.replace(unprintable, character => {
    const code = character.codePointAt(0)!.toString(16)
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
  })
}
