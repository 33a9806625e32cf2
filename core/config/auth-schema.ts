// What the gateway shows a server of itself and of whoever calls: the checked config of `auth`.

/** One of these. `oauth`: client credentials, one token for all callers. `exchange`: the caller's token is exchanged for one of his own. `user`: he gives one by a visit to the issuer. `gateway`: each request is signed, and says who makes it. */
export interface ServerAuth {
  readonly oauth?: OAuthClient | undefined
  readonly exchange?: ExchangeClient | undefined
  readonly user?: UserClient | undefined
  readonly gateway?: GatewayClient | undefined
}

/** What this gateway is to another one, which is told of each caller. */
export interface GatewayClient {
  /** What it is called there. */
  readonly as: string
  /** PEM of an Ed25519 key, or the path of a file with it, absolute. */
  readonly privateKey: string
  /** What the other one is called in what is signed for it; its url where it is absent. */
  readonly audience?: string | undefined
}

/** The issuer is known, and it may know the gateway without a secret. */
export interface UserClient extends OAuthClient {
  readonly issuer: string
  /** Where browsers reach the gateway: `https://HOST`, with a path where a proxy adds one. */
  readonly gateway: string
}

export interface ExchangeClient extends OAuthClient {
  /** What the caller's token is to the token endpoint; `access_token` where it is absent. */
  readonly subjectType?: 'access_token' | 'jwt' | 'id_token' | undefined
}

/** What the gateway is to an authorization server. `token` (the endpoint) or `issuer`; `clientSecret` or `privateKey`. */
export interface OAuthClient {
  readonly token?: string | undefined
  readonly issuer?: string | undefined
  readonly clientId: string
  readonly clientSecret?: string | undefined
  /** PEM, or the path of a file with it, absolute. */
  readonly privateKey?: string | undefined
  readonly keyId?: string | undefined
  /** How the secret is sent; `basic` where it is absent. */
  readonly clientAuth?: 'basic' | 'post' | undefined
  readonly scopes?: readonly string[] | undefined
  readonly resource?: string | undefined
  readonly audience?: string | undefined
}
