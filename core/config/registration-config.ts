// What those may do who register servers while gateways run: what is not named here, they may not.

export interface RegistrationConfig {
  /** A registered server may be a command, which may do on this machine whatever the gateway may. */
  readonly commands: boolean
  /** Where registered servers may be, beside the public internet: `https://HOST:PORT`, or `https://*.DOMAIN`. */
  readonly origins: readonly string[]
  /** By name: the origins that the secret or the variable may be sent to. */
  readonly secrets: Readonly<Record<string, readonly string[]>>
  readonly variables: Readonly<Record<string, readonly string[]>>
}
