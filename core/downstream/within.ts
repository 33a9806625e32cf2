// Waiting that ends: for work, or for a time limit, whichever comes first.

/** Resolves when `work` does or `limitMs` has passed; the work goes on. */
export async function within(work: Promise<unknown>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>(resolve => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([work, limit])
  clearTimeout(timer)
}
