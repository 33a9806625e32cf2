// Where requests for approval are kept: what each store can do, and its rows.
import type { SqlRow, SqlValue } from 'mcpgw/plugin'
import type { Request } from '../request.ts'

/** All of it rejects while it cannot be reached. */
export interface ApprovalStore {
  find(key: string): Promise<Request | undefined>
  get(id: string): Promise<Request | undefined>
  /** In place of one of the same key that is over at `now`; false where there is one that is not. */
  open(request: Request, now: number): Promise<boolean>
  /** False where it has changed since: `next.revision` is one more than that of the row. */
  replace(next: Request): Promise<boolean>
  /** Waiting at `now`, of one caller. */
  countWaiting(tenant: string, principal: string, now: number): Promise<number>
  /** Newest first; `tenant` undefined: of all. */
  list(tenant: string | undefined): Promise<readonly Request[]>
  /** Removes those whose time was over before. */
  forget(before: number): Promise<void>
  /** Those by which somebody asked, or in which he has decided, out of the file or table. */
  erase(ids: readonly string[]): Promise<number>
  close(): Promise<void>
}

/** The columns in their order; `body` is the rest. */
export const COLUMNS = ['id', 'key', 'tenant', 'principal', 'state', 'until', 'at', 'revision', 'body'] as const
/** At most so many are listed. */
export const MOST_LISTED = 1000

export function toRow({ id, key, tenant, principal, state, until, at, revision, ...body }: Request): readonly SqlValue[] {
  return [id, key, tenant, principal, state, until, at, revision, JSON.stringify(body)]
}

export function readRow(row: SqlRow): Request {
  return {
    ...(JSON.parse(String(row.body)) as Pick<Request, 'action' | 'server' | 'name' | 'needs' | 'given' | 'forMs'>),
    id: String(row.id),
    key: String(row.key),
    tenant: String(row.tenant),
    principal: String(row.principal),
    state: String(row.state) as Request['state'],
    until: Number(row.until),
    at: Number(row.at),
    revision: Number(row.revision),
  }
}
