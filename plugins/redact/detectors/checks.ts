// The check digit procedures that several numbers share. All read values 0 to 9 from an offset on.

/** ISO/IEC 7812-1 annex B; `sum` is what digits before these have added. */
export function passesLuhn(digits: Uint8Array, from: number, size: number, sum = 0): boolean {
  let total = sum
  for (let i = 0; i < size; i++) {
    const digit = digits[from + size - 1 - i]!
    const weighted = i % 2 === 0 ? digit : digit * 2
    total += weighted > 9 ? weighted - 9 : weighted
  }
  return total % 10 === 0
}

/** Sum of each digit times its weight. */
export function weigh(digits: Uint8Array, from: number, weights: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) sum += digits[from + i]! * weights[i]!
  return sum
}

/** The check digit of ISO 7064 mod 11, 10 for the digits before it. */
export function mod1110(digits: Uint8Array, from: number, size: number): number {
  let product = 10
  for (let i = 0; i < size; i++) {
    const sum = (digits[from + i]! + product) % 10 || 10
    product = (sum * 2) % 11
  }
  return (11 - product) % 10
}

/** Multiplication in the dihedral group of order 10, which Verhoeff's check is built on. */
function multiply(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b - 5) % 5)
  return b < 5 ? 5 + ((a - 5 - b + 5) % 5) : (a - b + 5) % 5
}
const permutations = [Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])]
const step = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
for (let i = 1; i < 8; i++) permutations.push(permutations[i - 1]!.map(digit => step[digit]!))

// For each permutation, digit and check so far, `(i << 8) | (digit << 4) | check`: the next check.
const verhoeff = new Uint8Array(8 << 8)
permutations.forEach((permutation, i) => {
  for (let digit = 0; digit < 10; digit++) {
    for (let check = 0; check < 10; check++) verhoeff[(i << 8) | (digit << 4) | check] = multiply(check, permutation[digit]!)
  }
})

export function passesVerhoeff(digits: Uint8Array, from: number, size: number): boolean {
  let check = 0
  for (let i = 0; i < size; i++) check = verhoeff[((i & 7) << 8) | (digits[from + size - 1 - i]! << 4) | check]!
  return check === 0
}

/** The number that the digits spell; exact up to 15 of them. */
export function numberOf(digits: Uint8Array, from: number, size: number): number {
  let value = 0
  for (let i = 0; i < size; i++) value = value * 10 + digits[from + i]!
  return value
}

/** Whether they are all the same: no authority gives out 111111111, and many checks pass it. */
export function isUniform(digits: Uint8Array, from: number, size: number): boolean {
  for (let i = 1; i < size; i++) if (digits[from + i] !== digits[from]) return false
  return true
}
