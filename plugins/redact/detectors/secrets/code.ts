// Tokens of code hosts, package registries and model providers.
import { type Form, hasDigit } from './form.ts'

const gitlab = ['pat', 'dt', 'rt', 'rtr', 'cbt', 'ptt', 'ft', 'imt', 'agent', 'oas', 'soat', 'ffct', 'wt']

export const codeForms: readonly Form[] = [
  { id: 'github-token', prefixes: ['ghp_', 'gho_', 'ghu_', 'ghr_'], body: 'alphanumeric', least: 36, most: 255 },
  // Tokens of apps may be JWTs.
  { id: 'github-token', prefixes: ['ghs_'], body: 'dotted', least: 36 },
  { id: 'github-token', prefixes: ['github_pat_'], body: 'word', least: 40, most: 255 },
  { id: 'gitlab-token', prefixes: gitlab.map(kind => `gl${kind}-`), body: 'dotted', least: 20, most: 400, check: hasDigit },
  { id: 'npm-token', prefixes: ['npm_'], body: 'alphanumeric', least: 36, most: 36 },
  { id: 'pypi-token', prefixes: ['pypi-'], body: 'url', least: 32, check: value => /[A-Z]/.test(value) && hasDigit(value) },
  { id: 'huggingface-token', prefixes: ['hf_', 'api_org_'], body: 'alphanumeric', least: 34, most: 40 },
  { id: 'anthropic-key', prefixes: ['sk-ant-'], body: 'url', least: 20, check: hasDigit },
  { id: 'openai-key', prefixes: ['sk-'], body: 'url', least: 20, check: isOpenAi },
]

// CSS classes begin with `sk-` too; keys have digits, and capitals where they have further dashes.
function isOpenAi(value: string): boolean {
  if (value.startsWith('sk-ant-')) return false
  return hasDigit(value) && (!value.slice(3).includes('-') || /[A-Z]/.test(value))
}
