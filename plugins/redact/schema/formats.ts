// The formats of JSON Schema that validators check, each with a text that tells nothing and fits.

interface Format {
  readonly test: RegExp
  readonly standIn: string
}

const time = String.raw`\d\d:\d\d:\d\d(?:\.\d+)?(?:[zZ]|[+-]\d\d:?\d\d)`

// RFC 2606: nothing is reached under `.invalid`.
const formats: Readonly<Record<string, Format>> = {
  email: { test: /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/, standIn: 'redacted@redacted.invalid' },
  'idn-email': { test: /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/, standIn: 'redacted@redacted.invalid' },
  hostname: { test: /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.?$/i, standIn: 'redacted.invalid' },
  uri: { test: /^[a-z][a-z0-9+.-]*:[^\s[\]<>"{}|\\^`]*$/i, standIn: 'https://redacted.invalid/' },
  'uri-reference': { test: /^[^\s[\]<>"{}|\\^`]*$/, standIn: 'https://redacted.invalid/' },
  url: { test: /^https?:\/\/[^\s[\]<>"{}|\\^`]+$/i, standIn: 'https://redacted.invalid/' },
  uuid: { test: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, standIn: '00000000-0000-0000-0000-000000000000' },
  date: { test: /^\d{4}-\d\d-\d\d$/, standIn: '1970-01-01' },
  time: { test: new RegExp(`^${time}$`), standIn: '00:00:00Z' },
  'date-time': { test: new RegExp(String.raw`^\d{4}-\d\d-\d\d[tT\s]${time}$`), standIn: '1970-01-01T00:00:00Z' },
  ipv4: { test: /^(?:\d{1,3}\.){3}\d{1,3}$/, standIn: '0.0.0.0' },
  ipv6: { test: /^[0-9a-f:.]*:[0-9a-f:.]*$/i, standIn: '::' },
  byte: { test: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, standIn: '' },
  duration: { test: /^P\S+$/, standIn: 'P0D' },
}

/** True for a format that is not known: nobody checks it. */
export function hasFormat(text: string, format: string): boolean {
  return !Object.hasOwn(formats, format) || formats[format]!.test.test(text)
}

export const standIns: readonly string[] = [...new Set(Object.values(formats).map(one => one.standIn))]
