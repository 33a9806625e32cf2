// What `npm run fuzz` tries: the laws of each part, by name; read when they are needed, for a thread needs those of one part alone.
import type { Laws } from './law.ts'

export const targets: Readonly<Record<string, () => Promise<Laws>>> = {
  json: async () => {
    const { isOneMessage, isTakenOrRefused, isWrittenAsItWas, seesWhatParseSees } = await import('../core/mcp/json/laws.ts')
    return { seesWhatParseSees, isWrittenAsItWas, isTakenOrRefused, isOneMessage }
  },
  sse: async () => {
    const { isReadBack, readsAnyBytes, readsText } = await import('../core/mcp/sse-laws.ts')
    return { readsText, readsAnyBytes, isReadBack }
  },
  policy: async () => {
    const { decidesAlike } = await import('../dsl/naive/law.ts')
    const { isReadOrExplained } = await import('../dsl/syntax/broken.ts')
    return { decidesAlike, isReadOrExplained }
  },
  redaction: async () => {
    const laws = await import('../plugins/redact/laws.ts')
    const { aLookOverlooksNothing, noEscapeHidesAFinding, noValueIsLeft, isMaskedForGood, noEscapeHidesACode } = laws
    return { aLookOverlooksNothing, noEscapeHidesAFinding, noValueIsLeft, isMaskedForGood, noEscapeHidesACode }
  },
  config: async () => {
    const { configsThatAreDamaged, treesOfKnownWords, whatResemblesYaml } = await import('../core/config/laws.ts')
    return { whatResemblesYaml, treesOfKnownWords, configsThatAreDamaged }
  },
}
