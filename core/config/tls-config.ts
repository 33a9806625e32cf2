// The certificate of the listener, as the config has it once it is checked.

/** Paths are absolute; a path that begins in `root`, the folder of the config, must end there too, whatever links there are. */
export interface TlsConfig {
  readonly cert: string
  /** A path, or the key itself (PEM) where it came from a secret. */
  readonly key: string
  /** Name of the secret that it is: asked for again with another certificate. */
  readonly keySecret?: string
  /** Who signs the certificates of clients. */
  readonly ca?: string
  readonly clientCertificates: 'none' | 'optional' | 'required'
  readonly minVersion: '1.2' | '1.3'
  readonly root: string
}
