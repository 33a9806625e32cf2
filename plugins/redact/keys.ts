// Values that only the name of their member tells: a whole text of the right length under the right key.
import type { Detector, PrefixDetector, Span } from './detector.ts'

export function compileKeys(detectors: readonly Detector[]): (text: string, key: string) => Span | undefined {
  const known: PrefixDetector[] = detectors.filter(detector => detector.on === 'prefix' && detector.alone !== undefined) as PrefixDetector[]
  const sizes = new Set(known.flatMap(({ alone }) => alone!.sizes))
  return (text, key) => {
    if (!sizes.has(text.length) || key === '') return undefined
    const name = key.toLowerCase().replace(/[^a-z0-9]/g, '')
    const detector = known.find(({ alone }) => alone!.keys.some(end => name.endsWith(end)) && alone!.fits(text))
    return detector === undefined ? undefined : { start: 0, end: text.length, detector }
  }
}
