// What a secret's name and value may be, and how a source says that it has none.

export interface SecretFault {
  readonly kind: 'secret-fault'
  readonly code: 'bad-name' | 'not-found' | 'unsafe-file' | 'bad-value' | 'command-failed'
  /** What is wrong. Never holds any part of a value. */
  readonly problem: string
  /** How to mend it. */
  readonly help: string
}

export interface SecretStore {
  /** The value of `name`, or why there is none. */
  get(name: string): Promise<string | SecretFault>
}

// Invariant: a name is one path segment and never an option of the command that is asked for it.
export const namePattern: RegExp = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/** No credential is larger; the bound keeps a wrong path or a runaway command from filling the memory. */
export const maxSecretBytes: number = 64 * 1024

export function secretFault(code: SecretFault['code'], problem: string, help: string): SecretFault {
  return Object.freeze({ kind: 'secret-fault', code, problem, help })
}

/** The text of a value, without the one line end that editors and `echo` leave. */
export function readValue(bytes: Uint8Array, from: string): string | SecretFault {
  if (bytes.length > maxSecretBytes)
    return secretFault('bad-value', `${from} gives more than ${maxSecretBytes} bytes`, 'Store the bare value.')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return secretFault('bad-value', `${from} gives bytes that are not UTF-8`, 'Store the value as UTF-8 text, binary values as base64.')
  }
  const value = text.replace(/\r?\n$/, '')
  if (value === '') return secretFault('bad-value', `${from} gives an empty value`, 'Store the value.')
  // A NUL would cut the value off in a child's environment.
  if (value.includes('\0')) return secretFault('bad-value', `${from} gives a NUL character`, 'Store the value as text.')
  return value
}
