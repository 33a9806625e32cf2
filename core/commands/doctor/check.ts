// What one check of `mcpgw doctor` says.

export interface Check {
  readonly name: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly message: string
  /** What to do. */
  readonly help?: string | undefined
}
