// `mcpgw config schema`: what editors complete and check mcpgw.yaml with.
import { toJsonSchema } from '../config/json-schema.ts'
import { fileShape } from '../config/shape.ts'
import type { VerbIo } from './verb.ts'

export async function showSchema(io: Pick<VerbIo, 'out'>): Promise<number> {
  io.out(schemaText())
  return 0
}

export function schemaText(): string {
  return `${JSON.stringify(toJsonSchema(fileShape), null, 2)}\n`
}
