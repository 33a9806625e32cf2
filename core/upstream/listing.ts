// The lists of one lane (tools, resources, templates, prompts): fetched whole, kept while the server promises to tell of changes.
import { Json } from '../mcp/json.ts'
import type { ListKind } from '../mcp/methods.ts'
import type { Answer, Clock, Log } from '../plugin/index.ts'
import { showControls } from './child/visible-text.ts'
import type { Lane } from './lane.ts'
import { whyUnfit } from './unfit.ts'

// A server that pages for ever, or in a circle, is cut here.
const MAX_PAGES = 200
const MAX_ITEMS = 20_000
const MAX_BYTES = 64 * 1024 * 1024
/** So many of those that are kept back, and so much of each name, are logged. */
const TOLD = 20
const TOLD_LENGTH = 200

/** Equal answers of the server give the same array, so that whatever is derived from it can be kept. */
export type Items = readonly Json[]

interface Kept {
  readonly items: Items
  readonly pages: readonly Json[]
  /** The server tells of changes: current until it does. */
  readonly promised: boolean
  /** Of other servers a list is current for a moment, as long as nobody asked the server for anything else meanwhile. */
  readonly until: number
  readonly requests: number
  /** Cleared by list_changed and by a new session with the server. */
  valid: boolean
}

const QUIET_MS = 1000
/** Whoever asks for names that there are not must not make a server list all it has each time: so often at once, and then once in each span. */
const AGAIN = 10
const AGAIN_MS = 1000

export class Listings {
  readonly #lane: Lane
  readonly #clock: Clock
  readonly #log: Log
  readonly #onChange: (kind: ListKind, before: Items, now: Items) => void
  readonly #onTold: (method: string) => void
  /** Counts what makes lists stale, so that a list that was on its way meanwhile is not taken for current. */
  #changes = 0
  readonly #kept = new Map<string, Kept>()
  readonly #fetching = new Map<string, Promise<Items | Answer>>()
  /** When all of `AGAIN` are free again. */
  #freeAt = 0

  /** `onChange`: a list was asked anew and is not what it was. `onTold`: each notification that may be of lists. */
  constructor(
    lane: Lane,
    clock: Clock,
    log: Log,
    onChange: (kind: ListKind, before: Items, now: Items) => void = () => {},
    onTold: (method: string) => void = () => {},
  ) {
    this.#lane = lane
    this.#clock = clock
    this.#log = log
    this.#onChange = onChange
    this.#onTold = onTold
  }

  /** `again`: ask anew unless the server has promised to tell of changes, or was asked so too often. The current list; an error answer where the server cannot be asked. A server without the capability has an empty list. */
  fetch(kind: ListKind, again = false): Promise<Items | Answer> | Items {
    const kept = this.#kept.get(kind.of)
    if (kept !== undefined && this.#isCurrent(kind, kept) && (kept.promised || !again)) return kept.items
    let fetching = this.#fetching.get(kind.of)
    if (fetching === undefined) {
      if (again && kept?.valid === true && this.#lane.isOpen && !this.#mayAskAgain()) return kept.items
      fetching = this.#fetch(kind).finally(() => this.#fetching.delete(kind.of))
      this.#fetching.set(kind.of, fetching)
    }
    return fetching
  }

  /** What was last seen, also where it may have changed since; `undefined` where it was never asked for. */
  known(kind: ListKind): Items | undefined {
    return this.#kept.get(kind.of)?.items
  }

  /** True where the server said since that it changed, or was replaced: what is known may be out of date. */
  isStale(kind: ListKind): boolean {
    return this.#kept.get(kind.of)?.valid === false
  }

  /** The page that the list began with: what a server says beside its entries stands there. */
  firstPage(kind: ListKind): Json | undefined {
    return this.#kept.get(kind.of)?.pages[0]
  }

  changed(method: string, kinds: readonly ListKind[]): void {
    this.#onTold(method)
    for (const kind of kinds) {
      const kept = this.#kept.get(kind.of)
      if (kind.changed !== method) continue
      this.#changes++
      if (kept !== undefined) kept.valid = false
    }
  }

  stale(): void {
    this.#changes++
    for (const kept of this.#kept.values()) kept.valid = false
  }

  #mayAskAgain(): boolean {
    const now = this.#clock.mono()
    const freeAt = Math.max(now, this.#freeAt) + AGAIN_MS
    if (freeAt - now > AGAIN * AGAIN_MS) return false
    this.#freeAt = freeAt
    return true
  }

  #isCurrent(kind: ListKind, kept: Kept): boolean {
    if (!kept.valid || !this.#lane.isOpen) return false
    return (
      (kept.promised && (kept.items === NONE || this.#lane.promises(kind))) ||
      (kept.requests === this.#lane.requests && this.#clock.mono() < kept.until)
    )
  }

  async #fetch(kind: ListKind): Promise<Items | Answer> {
    const ready = await this.#lane.ready()
    if (!('detail' in ready)) {
      const capability = ready.capabilities.get(kind.capability)
      if (capability === undefined) return this.#keep(kind, NONE, [], true, this.#snapshot())
      return this.#drain(kind)
    }
    return this.#lane.request(kind.method, undefined)
  }

  async #drain(kind: ListKind): Promise<Items | Answer> {
    // Promised before the list is asked for, so that no change falls between.
    const promised = this.#lane.promises(kind)
    const before = this.#kept.get(kind.of)
    const began = this.#snapshot()
    const pages: Json[] = []
    const seen = new Set<string>()
    let bytes = 0
    let cursor: Json | undefined
    do {
      const answer = await this.#lane.request(kind.method, cursor === undefined ? undefined : EMPTY.with({ cursor }))
      if (answer.kind === 'error') {
        // Capability without the method: some servers declare resources and offer no templates.
        return pages.length === 0 && (answer.payload as Json).get('code')?.value === -32601
          ? this.#keep(kind, NONE, [], promised, began)
          : answer
      }
      const page = answer.payload as Json
      pages.push(page)
      bytes += page.bytes.length
      cursor = page.get('nextCursor')
      if (cursor?.type !== 'string') cursor = undefined
      else if (seen.has(cursor.text) || pages.length >= MAX_PAGES || bytes >= MAX_BYTES) {
        this.#log.warn('list cut: the server pages without end', { server: this.#lane.server.id, list: kind.of, pages: pages.length })
        cursor = undefined
      } else seen.add(cursor.text)
    } while (cursor !== undefined)
    const same = before !== undefined && samePages(before.pages, pages)
    const items = same ? before.items : this.#itemsOf(pages, kind)
    if (before !== undefined && !same) this.#onChange(kind, before.items, items)
    return this.#keep(kind, items, pages, promised, began)
  }

  #snapshot(): { readonly changes: number; readonly requests: number } {
    return { changes: this.#changes, requests: this.#lane.requests }
  }

  /** What came meanwhile may already be out of date: then it is kept, but asked for again. */
  #keep(
    kind: ListKind,
    items: Items,
    pages: readonly Json[],
    promised: boolean,
    began: { readonly changes: number; readonly requests: number },
  ): Items {
    const until = this.#clock.mono() + QUIET_MS
    this.#kept.set(kind.of, { items, pages, promised, until, requests: began.requests, valid: began.changes === this.#changes })
    return items
  }

  /** Never looks at more than `MAX_ITEMS` entries: a page may hold millions. */
  #itemsOf(pages: readonly Json[], kind: ListKind): Json[] {
    const items: Json[] = []
    let left = MAX_ITEMS
    let nameless = 0
    let unfit = 0
    const about = { server: this.#lane.server.id, list: kind.of }
    for (const page of pages) {
      const found = page.get(kind.field)?.items(left) ?? []
      left -= found.length
      for (const item of found) {
        const name = item.type === 'object' ? item.string(kind.nameKey) : undefined
        const why = name === undefined ? undefined : whyUnfit(kind, item, name)
        if (name === undefined) nameless++
        else if (why === undefined) items.push(item)
        else if (unfit++ < TOLD) this.#log.warn(`quarantined: ${why}`, { ...about, name: showControls(name.slice(0, TOLD_LENGTH)) })
      }
    }
    if (unfit > TOLD) this.#log.warn('quarantined: more entries like these', { ...about, entries: unfit - TOLD })
    if (nameless > 0) this.#log.warn('list entries left out: they have no name', { ...about, entries: nameless })
    if (left === 0) this.#log.warn('list cut: the server offers more than is looked at', { ...about, entries: MAX_ITEMS })
    return items
  }
}

export function isItems(found: Items | Answer): found is Items {
  return Array.isArray(found)
}

const NONE: Items = Object.freeze([])
const EMPTY = Json.of({})

function samePages(a: readonly Json[], b: readonly Json[]): boolean {
  return a.length === b.length && a.every((page, i) => Buffer.compare(page.bytes, b[i]!.bytes) === 0)
}
