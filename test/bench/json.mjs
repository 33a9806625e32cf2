// Speed of the strict scan beside JSON.parse of the same text: `npx tsc -p . && node test/bench/json.mjs`.
import { isFault, Json } from '../../dist/core/mcp/json.js'
import { readMessage, writeRequest } from '../../dist/core/mcp/message.js'

const call = params => JSON.stringify({ jsonrpc: '2.0', id: 17, method: 'tools/call', params })
const prose = 'The quick brown fox jumps over the lazy dog; say it again. '
const samples = {
  '200 B call': call({
    name: 'files__read_file',
    arguments: { path: '/home/someone/projects/notes.txt', head: 20 },
    _meta: { progressToken: 'a1' },
  }),
  '2 KB call': call({
    name: 'tickets__create',
    arguments: {
      title: 'Cannot log in since Monday',
      labels: ['login', 'urgent'],
      body: prose.repeat(20),
      reporter: { name: 'Ada', email: 'ada@example.org', phone: '+49 30 1234567' },
      history: Array.from({ length: 8 }, (_, i) => ({ at: 1700000000 + i * 3600, by: `user-${i}`, note: 'changed "state" to open' })),
    },
    _meta: { progressToken: 4711, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  }),
  '100 KB strings': call({ name: 'files__write_file', arguments: { path: '/tmp/x', content: prose.repeat(1700) } }),
  '100 KB escapes': call({ name: 'files__write_file', arguments: { path: '/tmp/x', content: 'a line of a program: "x"\n'.repeat(3600) } }),
  '100 KB keys': call({
    name: 'db__insert',
    arguments: {
      rows: Array.from({ length: 1400 }, (_, i) => ({ id: i, name: `row ${i}`, price: i * 1.25, active: i % 2 === 0, tag: null })),
    },
  }),
  '100 KB one object': call({
    name: 'db__set',
    arguments: Object.fromEntries(Array.from({ length: 4500 }, (_, i) => [`setting_${i}`, i])),
  }),
}

function time(run, bytes) {
  const rounds = Math.max(200, Math.round(10_000_000 / bytes))
  const times = []
  for (let round = 0; round < 15; round++) {
    const from = performance.now()
    for (let i = 0; i < rounds; i++) run()
    times.push((performance.now() - from) / rounds)
  }
  return Math.min(...times) * 1000
}

// Every path is warmed with every sample, so that no figure rests on code compiled for one shape of message.
const work = {
  scan: bytes => Json.scan(bytes),
  'scan+read': bytes => readMessage(Json.scan(bytes), 'downstream').params.string('name'),
  '+write': bytes => writeRequest(4, 'tools/call', readMessage(Json.scan(bytes), 'downstream').params.with({ name: Buffer.from('"x"') })),
  '+value': bytes => readMessage(Json.scan(bytes), 'downstream').params.get('arguments').value,
  'JSON.parse': bytes => JSON.parse(bytes.toString()),
}
const inputs = Object.entries(samples).map(([name, text]) => [name, Buffer.from(text)])
for (const [name, bytes] of inputs) {
  if (isFault(Json.scan(bytes))) throw new Error(name)
  for (const run of Object.values(work)) for (let i = 0; i < 300; i++) run(bytes)
}

console.log(
  `${'best µs (MB/s)'.padEnd(18)}${'bytes'.padStart(8)}${Object.keys(work)
    .map(name => name.padStart(18))
    .join('')}   scan / parse`,
)
for (const [name, bytes] of inputs) {
  const times = Object.values(work).map(run => time(() => run(bytes), bytes.length))
  const cells = times.map(us => `${us.toFixed(2)} (${(bytes.length / us).toFixed(0)})`.padStart(18)).join('')
  console.log(`${name.padEnd(18)}${String(bytes.length).padStart(8)}${cells}   ${(times[0] / times.at(-1)).toFixed(2)}`)
}
