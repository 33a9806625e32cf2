// The header by which one gateway tells another who calls: its name, and what can be read of it before anybody has checked it.

export const CALLER = { header: 'mcpgw-caller', type: 'mcpgw-caller+jwt', maxLength: 8192 } as const

/** The trace that it goes on with. Nothing of it is proven: whoever asks may name any trace, as in `_meta`. */
export function traceparentIn([value, ...others]: readonly string[]): string | undefined {
  if (value === undefined || others.length > 0 || value.length > CALLER.maxLength) return undefined
  try {
    const { traceparent } = JSON.parse(Buffer.from(value.split('.')[1] ?? '', 'base64url').toString()) as { traceparent?: unknown }
    return typeof traceparent === 'string' ? traceparent : undefined
  } catch {
    return undefined
  }
}
