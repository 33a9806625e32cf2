// Makes foreign text safe to print: no control character, no direction override, no line of its own in a log.

// C0, DEL, C1, zero-width and direction marks, line and paragraph separators, byte order mark.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

export function showControls(text: string): string {
  return text.replace(unprintable, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
