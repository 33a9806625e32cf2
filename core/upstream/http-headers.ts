// Reading response headers as undici gives them.

export function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

/** Without parameters, lower case. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

/** For logs and health: nothing that a server made up is shown there. */
export function shownType(type: string): string {
  return /^[a-z]{1,20}\/[a-z0-9.+-]{1,40}$/.test(type) ? type : 'of no known media type'
}
