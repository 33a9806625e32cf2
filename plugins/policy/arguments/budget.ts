// What one validation may cost: a schema of a server, with arguments of anybody, can ask for more steps than there is time.

/** Some tens of milliseconds at worst. */
const maxSteps = 500_000

export class Budget {
  #left = 0

  begin(): void {
    this.#left = maxSteps
  }

  /** Throws where there is nothing left. */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new OverBudget()
  }
}

export class OverBudget extends Error {}
