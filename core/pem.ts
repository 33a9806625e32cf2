// Whether a text is a key or certificate itself, and no path of one: something may stand before it, as openssl writes it.
export function isPem(text: string): boolean {
  return text.includes('-----BEGIN ')
}
