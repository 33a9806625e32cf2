// What a list is a list of, and whether what a request is about is as the lock has it.
import type { Governed, Resource } from 'mcpgw/plugin'
import { nameOf as holderOf } from './catalog/holder.ts'
import type { PinKind, Pins } from './catalog/pins.ts'

export interface ItemKind {
  readonly action: 'call' | 'read' | 'prompt'
  readonly pin: PinKind
}

const LISTS: Readonly<Record<'tools' | 'resources' | 'templates' | 'prompts', ItemKind>> = {
  tools: { action: 'call', pin: 'tool' },
  resources: { action: 'read', pin: 'resource' },
  templates: { action: 'read', pin: 'template' },
  prompts: { action: 'prompt', pin: 'prompt' },
}

/** Lists are also asked for one entry, to see whether what was denied is hidden: then of that kind. */
export function itemOf(resource: Resource): ItemKind | undefined {
  switch (resource.kind) {
    case 'list':
      return LISTS[resource.of]
    case 'call':
      return LISTS.tools
    case 'read':
      return LISTS.resources
    case 'prompt':
      return LISTS.prompts
    default:
      return undefined
  }
}

/** A method is no entry of the lock. Without a lock nothing is held. */
export function isHeld(pins: Pins | undefined, resource: Governed): boolean {
  const server = holderOf(resource.server, resource.version)
  switch (resource.kind) {
    case 'call':
      return pins?.isPinned('tool', server, resource.tool, resource.definition) === true
    case 'read':
      return pins?.mayRead(server, resource.uri) === true
    case 'prompt':
      return pins?.isPinned('prompt', server, resource.prompt, resource.definition) === true
    case 'method':
      return true
  }
}
