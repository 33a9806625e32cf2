// Which values of a client's file are secrets, as far as a name or a form tells; and such a file's lines with them hidden.

const NAMES = /(key|token|secret|passw|pwd|credential|auth|bearer|cookie|session|private|dsn)|(^|[_-])(pat|pass)($|[_-])/i
/** Forms that issuers give to what they issue, and passwords in addresses. */
const FORMS =
  /^(bearer |basic )|^(sk|pk|rk|ghp|gho|ghs|glpat|xox[abprs]|npm|hf|mgk|whsec)[-_]|^github_pat_|^AKIA[0-9A-Z]{12}|^eyJ[\w-]+\.|^-----BEGIN|:\/\/[^/\s:@]*:[^/\s@]+@/i
/** Long, of letters and digits mixed, and no path, address or sentence. */
const RANDOM = /^(?=.*[A-Za-z])(?=.*\d)[\w+=-]{24,}$/
const HARMLESS = /^(true|false|yes|no|on|off|\d{1,5}|)$/i

/** A value that is a reference is none itself. */
export function looksSecret(name: string, value: string): boolean {
  if (HARMLESS.test(value) || /^(bearer )?\$\{[^}]*\}$/i.test(value)) return false
  return NAMES.test(name) || FORMS.test(value) || RANDOM.test(value)
}

/** The arguments of a command, or a url, as they may be shown. */
export function hideInWords(words: readonly string[]): readonly string[] {
  return words.map((word, at) => {
    const before = words[at - 1] ?? ''
    if (looksSecret(before.startsWith('-') ? before.replace(/^--?/, '') : '', word) && !word.startsWith('-')) return HIDDEN
    return word.replace(/^(--?[\w-]*(?:key|token|secret|passw)[\w-]*=).+/i, `$1${HIDDEN}`)
  })
}

export function hideInUrl(url: string): string {
  return url.replaceAll(/([?&][^=&]*(?:key|token|secret)[^=&]*=)[^&#]+/gi, `$1${HIDDEN}`)
}

const HIDDEN = '(hidden)'

export function hideSecrets(lines: string): string {
  const hide = (whole: string, head: string, name: string, value: string): string =>
    looksSecret(name, value) ? `${head}"${HIDDEN}"` : whole
  return lines.replaceAll(/("((?:[^"\\]|\\.)*)"\s*:\s*)"((?:[^"\\]|\\.)*)"/g, hide)
}
