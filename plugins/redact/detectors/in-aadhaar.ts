// Indian Aadhaar numbers: twelve digits from 2 on, Verhoeff, no palindrome. One in ten numbers passes: only with a word.
import type { NumberDetector } from '../detector.ts'
import { passesVerhoeff } from './checks.ts'

export const inAadhaar: NumberDetector = {
  id: 'in-aadhaar',
  action: 'mask',
  on: 'number',
  named: ['12', '4 4 4', '4-4-4'],
  words: ['aadhaar', 'aadhar', 'adhaar', 'adhar', 'uidai', 'uid'],
  passes: (digits, from) => digits[from]! >= 2 && passesVerhoeff(digits, from, 12) && !isPalindrome(digits, from),
}

function isPalindrome(digits: Uint8Array, from: number): boolean {
  for (let i = 0; i < 6; i++) if (digits[from + i] !== digits[from + 11 - i]) return false
  return true
}
