// Which addresses the settings may name: those that are encrypted, and others on this machine, or where they are said to be safe.

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** A way that is encrypted, and one that is not. */
export type Ways = readonly [string, string]
export const WEB: Ways = ['https:', 'http:']
export const SYSLOG: Ways = ['tls:', 'tcp:']

/** For messages: without user, query and fragment, in which secrets may be. */
export function showAddress(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

/** Undefined where there is none. */
export function findFault(text: string, [safe, open]: Ways, insecure: boolean): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hostname === '' || (url.protocol !== safe && url.protocol !== open))
    return `expected an address with ${safe}//`
  if (url.username !== '' || url.password !== '')
    return 'expected an address without a password in it; credentials have settings of their own'
  return url.protocol === safe || insecure || LOOPBACK.test(url.hostname)
    ? undefined
    : `expected ${safe}//; where the way there is safe by other means, say insecure: true`
}
