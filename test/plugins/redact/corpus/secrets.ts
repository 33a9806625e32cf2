// Secrets as their issuers document them; none is real.
import { alphabet, type Chance } from './random.ts'

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Detector id, and what makes a value. A text around it, with `@` for the value, where the value alone does not tell. */
export interface SecretForm {
  readonly id: string
  readonly make: (chance: Chance) => string
  readonly frames?: readonly string[]
}

const { alphanumeric, hex, url, base64, base32, digits } = alphabet

export const secretForms: readonly SecretForm[] = [
  { id: 'aws-key', make: c => c.from(['AKIA', 'ASIA', 'ABIA', 'ACCA']) + c.text(base32, 16) },
  { id: 'aws-key', make: c => `ABSK${c.text(base64, 128)}` },
  {
    id: 'aws-secret-key',
    make: c => c.text(alphanumeric, 1) + c.text(base64, 38) + c.text(alphanumeric, 1),
    frames: [
      'aws_secret_access_key = @',
      'AWS_SECRET_ACCESS_KEY=@',
      '{"SecretAccessKey": "@"}',
      "secretAccessKey: '@'",
      'export AWS_SECRET_ACCESS_KEY="@"',
      'Secret access key: @',
    ],
  },
  { id: 'google-key', make: c => `AIza${c.text(url, 35)}` },
  { id: 'google-key', make: c => `GOCSPX-${c.text(url, 28)}` },
  { id: 'azure-key', make: c => `${c.text(alphanumeric, 3)}${c.text(digits, 1)}Q~${c.text(alphanumeric, 34)}` },
  {
    id: 'azure-key',
    make: c => `${c.text(base64, 86)}==`,
    frames: ['DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=@;EndpointSuffix=core.windows.net', 'AZURE_STORAGE_KEY=@'],
  },
  { id: 'digitalocean-token', make: c => `${c.from(['dop', 'doo', 'dor'])}_v1_${c.text(hex, 64)}` },
  { id: 'github-token', make: c => `${c.from(['ghp', 'gho', 'ghu', 'ghs', 'ghr'])}_${c.text(alphanumeric, 36)}` },
  { id: 'github-token', make: c => `github_pat_${c.text(alphanumeric, 22)}_${c.text(alphanumeric, 59)}` },
  {
    id: 'gitlab-token',
    make: c => `gl${c.from(['pat', 'dt', 'ft', 'soat', 'rt'])}-${c.text(alphanumeric, 18)}7${c.text(alphanumeric, 1)}`,
  },
  { id: 'gitlab-token', make: c => `glpat-${c.text(url, 26)}a.01.${c.text('0123456789abcdefghijklmnopqrstuvwxyz', 9)}` },
  { id: 'npm-token', make: c => `npm_${c.text(alphanumeric, 36)}` },
  { id: 'pypi-token', make: c => `pypi-AgEIcHlwaS5vcmc${c.text(url, 120)}A` },
  { id: 'huggingface-token', make: c => `hf_${c.text(alphanumeric, 34)}` },
  { id: 'anthropic-key', make: c => `sk-ant-${c.from(['api03', 'admin01'])}-${c.text(url, 93)}AA` },
  { id: 'openai-key', make: c => `sk-${c.text(alphanumeric, 20)}T3BlbkFJ${c.text(alphanumeric, 20)}` },
  { id: 'openai-key', make: c => `sk-${c.from(['proj', 'svcacct', 'admin'])}-${c.text(url, 74)}T3BlbkFJ${c.text(url, 73)}a` },
  { id: 'stripe-key', make: c => `${c.from(['sk', 'rk'])}_${c.from(['live', 'test'])}_51${c.text(alphanumeric, 24)}` },
  { id: 'stripe-key', make: c => `whsec_${c.text(alphanumeric, 32)}` },
  { id: 'shopify-token', make: c => `${c.from(['shpat', 'shpca', 'shppa', 'shpss'])}_${c.text(hex, 32)}` },
  { id: 'square-token', make: c => `sq0atp-${c.text(url, 21)}a` },
  { id: 'square-token', make: c => `EAAA${c.text(url, 58)}7a` },
  { id: 'twilio-key', make: c => `SK${c.text(hex, 32)}` },
  { id: 'twilio-key', make: c => c.text(hex, 32), frames: ['TWILIO_AUTH_TOKEN=@', '"twilio_auth_token": "@"'] },
  { id: 'sendgrid-key', make: c => `SG.${c.text(url, 22)}.${c.text(url, 42)}a` },
  { id: 'mailgun-key', make: c => `key-${c.text(hex, 32)}` },
  { id: 'mailgun-key', make: c => `${c.text(hex, 32)}-${c.text(hex, 8)}-${c.text(hex, 8)}`, frames: ['MAILGUN_API_KEY=@'] },
  { id: 'slack-token', make: c => `${c.from(['xoxb', 'xoxp'])}-${c.digits(12)}-${c.digits(13)}-${c.text(alphanumeric, 24)}` },
  { id: 'slack-token', make: c => `xapp-1-A${c.text(base32, 10)}-${c.digits(13)}-${c.text(hex, 64)}` },
  {
    id: 'slack-webhook',
    make: c => `T${c.text(base32, 8)}/B${c.text(base32, 8)}7/${c.text(alphanumeric, 24)}`,
    frames: ['https://hooks.slack.com/services/@', '{"url":"https://hooks.slack.com/services/@"}'],
  },
  { id: 'telegram-token', make: c => `${c.between(100_000_000, 9_999_999_999)}:AA${c.text(url, 32)}a` },
  {
    id: 'discord-token',
    make: c =>
      `${Buffer.from(`${c.between(1, 9)}${c.digits(c.from([17, 18]))}`).toString('base64url')}.${c.text(url, 6)}.${c.text(url, c.from([26, 37]))}a`,
  },
  { id: 'datadog-key', make: c => c.text(hex, c.from([32, 40])), frames: ['DD_API_KEY=@', 'DD_APP_KEY: "@"', '"datadog_api_key":"@"'] },
  {
    id: 'jwt',
    make: c =>
      [
        base64url({ alg: c.from(['HS256', 'RS256', 'EdDSA']), typ: 'JWT' }),
        base64url({ sub: c.digits(9), iat: c.below(2e9) }),
        c.text(url, 42),
      ].join('.'),
  },
  {
    id: 'private-key',
    make: c => {
      const kind = c.from(['RSA ', 'EC ', 'OPENSSH ', ''])
      return `-----BEGIN ${kind}PRIVATE KEY-----\n${c.text(base64, 64)}\n${c.text(base64, 64)}\n-----END ${kind}PRIVATE KEY-----`
    },
  },
  {
    id: 'password',
    make: c => c.text(alphanumeric, 12),
    frames: [
      'postgres://app:@\u0040db.example.com/main',
      'amqp://u:@\u0040mq.example.com:5672/',
      'Server=db;User Id=app;Password=@;Timeout=3',
    ],
  },
  {
    id: 'bearer',
    make: c => `${c.text(alphanumeric, 30)}7`,
    frames: ['Authorization: Bearer @', 'curl -H "Authorization: Bearer @" https://api.example.com'],
  },
  { id: 'basic-auth', make: c => Buffer.from(`user:${c.text(alphanumeric, 14)}`).toString('base64'), frames: ['Authorization: Basic @'] },
]
