// A small plugin that keeps every promise, for the tests of the conformance suite.
import { z } from 'zod'
import { definePlugin, type JsonValue, type Plugin, pass, rewrite } from '../../../core/plugin/index.ts'

export { type Capability, definePlugin, type Hooks, pass, rewrite } from '../../../core/plugin/index.ts'

/** Masks the text `4111 1111 1111 1111` wherever it stands in arguments and answers. */
export const masking: Plugin<{ mask: string }> = definePlugin({
  name: 'masking',
  apiVersion: 1,
  config: z.strictObject({ mask: z.string().default('[card]') }),
  capabilities: ['masks'],
  setup({ config }) {
    const mask = (value: JsonValue): JsonValue => {
      if (typeof value === 'string') return value.replaceAll('4111 1111 1111 1111', config.mask)
      if (Array.isArray(value)) return value.map(mask)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mask(member)]))
    }
    return {
      onRequest: ({ params }) => (params.text.includes('4111') ? rewrite(mask(params.value)) : pass),
      onResponse: (_exchange, { payload }) => (payload.text.includes('4111') ? rewrite(mask(payload.value)) : pass),
    }
  },
})
