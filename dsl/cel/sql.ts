// sql.is_select(): whether a text is one SELECT that only reads. What is not understood is none.
import { bool } from './cel-type.ts'
import { type Overload, unary } from './overload.ts'
import { tokensOf } from './sql-tokens.ts'

/** Words that change something, or lock it, wherever they stand outside quotes. */
const writing: ReadonlySet<string> = new Set(
  `insert update delete merge upsert replace truncate create alter drop rename grant revoke call exec execute do copy load import export
  attach detach vacuum analyze reindex cluster pragma set reset begin commit rollback savepoint release start lock unlock into outfile dumpfile
  listen notify unlisten prepare deallocate declare fetch move close handler install uninstall shutdown kill flush optimize repair refresh comment
  discard checkpoint reassign security`.split(/\s+/),
)

/** Functions of common databases that write, wait, or reach files and other hosts. */
const reaching = new RegExp(
  `^(?:pg_(?!catalog$|typeof$|size_pretty$|get_\\w+$)\\w+|lo_\\w+|dblink\\w*|set_config|nextval|setval|currval_set|xp_\\w+|sp_\\w+|openrowset|openquery|opendatasource|` +
    `load_file|load_extension|readfile|writefile|edit|fts3_tokenizer|sleep|benchmark|get_lock|release_lock|release_all_locks|master_pos_wait|sys_exec|sys_eval|sys_get|` +
    `waitfor|query_to_xml\\w*|table_to_xml\\w*|cursor_to_xml\\w*|database_to_xml\\w*|schema_to_xml\\w*|utl_\\w+|dbms_\\w+|httpuritype|txid_\\w+|read_csv\\w*|read_json\\w*|read_parquet|read_text|read_blob|glob|url|file|remote|s3)$`,
)

export function isSelect(text: string): boolean {
  const tokens = tokensOf(text)
  if (tokens === undefined) return false
  const last = tokens.at(-1)
  const body = last?.kind === 'sign' && last.text === ';' ? tokens.slice(0, -1) : tokens
  const first = body[0]
  if (first?.kind !== 'word' || (first.text !== 'select' && first.text !== 'with')) return false
  let depth = 0
  let selects = 0
  for (const [at, token] of body.entries()) {
    const next = body[at + 1]
    if (token.kind === 'sign') {
      if (token.text === ';') return false
      if (token.text === '(') depth++
      else if (token.text === ')' && --depth < 0) return false
      continue
    }
    const called = next?.kind === 'sign' && next.text === '('
    if (called && reaching.test(token.text)) return false
    if (token.kind === 'name') continue
    if (token.text === 'select') selects++
    // `replace(x, y, z)` is a function of text; as a statement it is followed by no bracket.
    if (writing.has(token.text) && !(token.text === 'replace' && called)) return false
    if (token.text === 'for' && next?.kind === 'word' && ['update', 'share', 'no', 'key'].includes(next.text)) return false
  }
  return depth === 0 && selects > 0
}

export const sqlFunctions: readonly Overload[] = [
  unary('function', 'sql.is_select', 'string', bool, (a, run) => (run.charge(20 + a.length * 2) ? isSelect(a) : undefined)),
]
