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
 * @property {'all' | 'required' | 'none'} gate `all`: also what is unscored, where it passes directly
 */

const ERAS = [
  { revision: LEGACY, own: 'legacy', other: 'modern' },
  { revision: MODERN, own: 'modern', other: 'legacy' },
]

/** @type {Cell[]} */
export const CELLS = [
  ...ERAS.flatMap(({ revision, own }) =>
    ['direct', 'http', 'stdio'].map(way => ({ name: `${revision}/${way}`, suite: 'alpha', revision, way, mode: own, gate: 'all' })),
  ),
  ...['direct', 'http', 'stdio'].map(way => ({
    name: `0.1.16/${way}`,
    suite: 'stable',
    revision: LEGACY,
    way,
    mode: 'legacy',
    gate: 'all',
  })),
  // Clients of one era in front of a server of the other.
  ...ERAS.flatMap(({ revision, other }) =>
    ['http', 'stdio'].map(way => ({ name: `${revision}/${way}-${other}`, suite: 'alpha', revision, way, mode: other, gate: 'none' })),
  ),
]

export const CLIENT_REVISIONS = [LEGACY, MODERN]
