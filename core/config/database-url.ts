// The URL of a database: what one looks like, and how it is shown without its password.

const hidden = '[hidden]'

export function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, pathname, hash } = new URL(text)
  return (protocol === 'postgres:' || protocol === 'postgresql:') && pathname.length > 1 && hash === ''
}

/** Also of a text with references: a password that is nothing but a reference stays. */
export function hidePassword(url: string): string {
  const hide = (_: string, before: string, password: string): string => before + (/^\$\{[^}]*\}$/.test(password) ? password : hidden)
  return url.replace(/^([^:/]+:\/\/[^:@/]*:)(.*)(?=@)/, hide).replace(/([?&][^=&]*(?:password|key)=)([^&]*)/gi, hide)
}

/** As it stands in the URL and as the server gets it. */
export function passwordsOf(url: string): string[] {
  const { password, searchParams } = new URL(url)
  const found = [password, searchParams.get('password') ?? '']
  return [...found, ...found.map(decode)].filter(text => text !== '')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
