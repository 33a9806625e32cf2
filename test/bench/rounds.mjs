// Interleaving: in each round each step is run on each target in turn, so that a slow minute of the machine hits all of them.

/**
 * @template T, R
 * @typedef {object} Step
 * @property {string} name
 * @property {(target: T) => Promise<R>} run
 */

/**
 * One round to warm up, which is thrown away, then the rounds that count. Who goes first changes from round to round.
 * @template {{ name: string }} T
 * @template R
 * @param {readonly T[]} targets
 * @param {readonly Step<T, R>[]} steps
 * @param {number} rounds
 * @param {(text: string) => void} progress
 * @returns {Promise<Record<string, Record<string, R[]>>>} target -> step -> a result for each round
 */
export async function runRounds(targets, steps, rounds, progress) {
  /** @type {Record<string, Record<string, R[]>>} */
  const results = {}
  for (const { name } of targets) results[name] = Object.fromEntries(steps.map(step => [step.name, []]))
  for (let round = 0; round <= rounds; round++) {
    progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`)
    const first = round % targets.length
    const turn = [...targets.slice(first), ...targets.slice(0, first)]
    for (const step of steps) {
      for (const target of turn) {
        const result = await step.run(target)
        if (round > 0) results[target.name]?.[step.name]?.push(result)
      }
    }
  }
  return results
}
