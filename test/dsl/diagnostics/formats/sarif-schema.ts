// What SARIF 2.1.0 (OASIS) demands of the objects that are written here, closed: a member that the standard lacks is found.
// `SARIF_SCHEMA=FILE` runs the same tests against a copy of the whole official schema.
const closed = (required: readonly string[], properties: Readonly<Record<string, object>>): object => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
})
const text = { type: 'string' }
const many = (items: object): object => ({ type: 'array', items })
const message = closed(['text'], { text })
const artifactLocation = closed([], { uri: { type: 'string', pattern: "^[A-Za-z0-9._~:/?#\\[\\]@!$&'()*+,;=%-]*$" } })
const positive = { type: 'integer', minimum: 1 }
const region = closed([], { startLine: positive, startColumn: positive, endLine: positive, endColumn: positive })
const physicalLocation = closed(['artifactLocation'], { artifactLocation, region })
const level = { enum: ['none', 'note', 'warning', 'error'] }

const rule = closed(['id'], { id: text, shortDescription: message, defaultConfiguration: closed([], { level }) })
const driver = closed(['name'], {
  name: text,
  semanticVersion: text,
  rules: { ...many(rule), uniqueItems: true },
})
const replacement = closed(['deletedRegion'], { deletedRegion: region, insertedContent: closed([], { text }) })
const change = closed(['artifactLocation', 'replacements'], { artifactLocation, replacements: { ...many(replacement), minItems: 1 } })
const result = closed(['message'], {
  ruleId: text,
  ruleIndex: { type: 'integer', minimum: -1 },
  level,
  message,
  locations: many(closed([], { physicalLocation })),
  relatedLocations: { ...many(closed([], { id: { type: 'integer', minimum: -1 }, physicalLocation, message })), uniqueItems: true },
  fixes: {
    ...many(closed(['artifactChanges'], { description: message, artifactChanges: { ...many(change), minItems: 1 } })),
    uniqueItems: true,
  },
})

export const sarifSchema: object = closed(['version', 'runs'], {
  $schema: text,
  version: { enum: ['2.1.0'] },
  runs: many(
    closed(['tool'], {
      tool: closed(['driver'], { driver }),
      columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
      artifacts: { ...many(closed([], { location: artifactLocation })), uniqueItems: true },
      results: many(result),
    }),
  ),
})
