// Amounts of memory as people write them: `512MiB`, `2GiB`, or a number of bytes.

const units: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, KB: 1000, MB: 1000 ** 2, GB: 1000 ** 3 }

/** Bytes; undefined where it is no amount. */
export function parseSize(value: string | number): number | undefined {
  const [, digits, unit = 'B'] = /^(\d{1,15}(?:\.\d{1,6})?) ?([KMG]i?B|B)?$/.exec(String(value)) ?? []
  if (digits === undefined) return undefined
  const bytes = Math.round(Number(digits) * (units[unit] ?? Number.NaN))
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
