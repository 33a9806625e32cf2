// The plugins that come with the package, known without loading one.
export const builtInPlugins: readonly string[] = [
  'approval',
  'audit',
  'auth',
  'cache',
  'ipfilter',
  'meter',
  'policy',
  'ratelimit',
  'redact',
  'stripe',
]
