// What a plugin says of a code of its own findings, for `mcpgw explain CODE`.

export interface ExplainedCode {
  /** One line: what the code means. */
  readonly text: string
  /** Why it is said, and what to do about it. */
  readonly help: string
  readonly severity?: 'error' | 'warning' | 'hint'
  /** In the order to be shown, e.g. titled `Wrong` and `Right`; `text` may have several lines. */
  readonly examples?: readonly { readonly title: string; readonly text: string }[]
}
