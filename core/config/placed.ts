// Parts of the config together with the place of the text that each came from.
import type { RestTool } from '../upstream/rest/tool.ts'
import type { Span } from './diagnostic.ts'
import type { ServerShape } from './server-shape.ts'
import type { Path, Source } from './tree.ts'
import type { VersionRouteShape } from './versions-shape.ts'

export interface Place {
  readonly source: Source
  readonly path: Path
}

/** `placed`: the server as this version has it. */
export interface PlacedVersion extends Omit<VersionRouteShape, 'version'> {
  readonly placed: PlacedServer
}

export interface PlacedServer extends Place {
  readonly shape: ServerShape
  /** What relative paths start from. */
  readonly baseDir: string
  /** Of a plain HTTP server. */
  readonly tools?: readonly RestTool[]
  readonly versions?: readonly PlacedVersion[]
}

export interface PlacedPlugin extends Place {
  readonly name: string
  readonly config: unknown
  readonly failure?: 'open' | 'closed'
  /** Keys of the config that stand under another name in the file. */
  readonly renamed?: Readonly<Record<string, string>>
}

/** Something that the file asks for and that only `plugin` enforces; undefined where nothing does yet. */
export interface Section {
  readonly section: string
  readonly plugin: string | undefined
  readonly source: Source
  readonly span: Span
}
