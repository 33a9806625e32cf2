// Keeps one number a tool in an SQLite file, which the command reads while the gateway writes.

/**
 * @param {import('mcpgw/plugin').Stores} stores
 * @param {string} path
 */
export function openCounts(stores, path) {
  // These numbers may lose their last second to a power cut, so no commit waits for the disk.
  const db = stores.open(path, { durability: 'os', schema: 1 })
  db.exec('CREATE TABLE IF NOT EXISTS calls (tool TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT; PRAGMA user_version = 1')
  const insert = db.prepare('INSERT INTO calls VALUES (?, 1) ON CONFLICT (tool) DO UPDATE SET count = count + 1')
  const select = db.prepare('SELECT tool, count FROM calls ORDER BY count DESC, tool')
  return {
    /** @param {string} tool */
    add(tool) {
      insert.run(tool)
    },
    all() {
      return select.all().map(({ tool, count }) => ({ tool: String(tool), count: Number(count) }))
    },
    close() {
      db.close()
    },
  }
}
