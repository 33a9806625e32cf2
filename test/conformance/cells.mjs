// The cells of the table: which suite speaks which revision, to what, and what the gate takes from it.

export const LEGACY = '2025-11-25'
export const MODERN = '2026-07-28'

/**
 * @typedef {object} Cell
 * @property {string} name as in `--only`
 * @property {'alpha' | 'stable'} suite
 * @property {string} revision that the suite speaks
 * @property {'direct' | 'http' | 'stdio'} way to the fixture
 * @property {'legacy' | 'modern'} mode of the fixture
 * @property {'all' | 'required'} gate `all`: also what is unscored, where it passes directly, and no warning that is not there directly
 * @property {Readonly<Record<string, string>>} excused checks that cannot pass here, and why
 */

const NONE = {}
const NO_ERROR_FOR_IT = 'the revision of the server has no error for it: the refusal is the result of a tool'
/** Checks that stateless clients cannot pass in front of a server with sessions. */
const UNKNOWN_TO_SESSIONS = {
  'sep-2575-server-rejects-undeclared-capability': NO_ERROR_FOR_IT,
  'sep-2575-missing-capability-http-400': NO_ERROR_FOR_IT,
  'sep-2322-elicitation-incomplete': 'it wants a key of its own for what is asked, and a server with sessions names none',
}

const ERAS = [
  { revision: LEGACY, own: 'legacy', other: 'modern', gate: 'all', excused: NONE },
  { revision: MODERN, own: 'modern', other: 'legacy', gate: 'required', excused: UNKNOWN_TO_SESSIONS },
]
const WAYS = ['direct', 'http', 'stdio']

/** @type {Cell[]} */
export const CELLS = [
  ...ERAS.flatMap(({ revision, own }) =>
    WAYS.map(way => ({ name: `${revision}/${way}`, suite: 'alpha', revision, way, mode: own, gate: 'all', excused: NONE })),
  ),
  ...WAYS.map(way => ({ name: `0.1.16/${way}`, suite: 'stable', revision: LEGACY, way, mode: 'legacy', gate: 'all', excused: NONE })),
  // Clients of one era in front of a server of the other.
  ...ERAS.flatMap(({ revision, other, gate, excused }) =>
    ['http', 'stdio'].map(way => ({ name: `${revision}/${way}-${other}`, suite: 'alpha', revision, way, mode: other, gate, excused })),
  ),
]

export const CLIENT_REVISIONS = [LEGACY, MODERN]
