// The log: one JSON object a line, on stderr. No control character and no known secret gets through, whoever wrote it.
import { createRequire } from 'node:module'
import type { Logger } from 'pino'
import type { Log } from './plugin/index.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']

export interface LogOptions {
  readonly level?: LogLevel
  /** Takes the values of known secrets out of a line. */
  readonly scrub?: (line: string) => string
  /** Gets whole lines; stderr by default. */
  readonly write?: (line: string) => void
}

export interface RootLog extends Log {
  /** Secrets are known only after the log has been opened. */
  scrubWith(scrub: (line: string) => string): void
}

/** Pino is loaded with the first line that the level lets through. */
export function createLog(options: LogOptions = {}): RootLog {
  const { level = 'info' } = options
  let scrub = options.scrub ?? (line => line)
  let pino: Logger | undefined
  const write = options.write ?? writeStderr
  const open = (): Logger => {
    pino ??= openPino(level, line => write(cleanLine(scrub(line))))
    return pino
  }
  return {
    ...logAt(level, open),
    scrubWith(next) {
      scrub = next
    },
  }
}

function logAt(level: LogLevel, open: () => Logger): Log {
  const least = LEVELS.indexOf(level)
  const at =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void => {
      if (LEVELS.indexOf(name) < least) return
      try {
        open()[name](fields === undefined ? {} : keepApart(fields), String(message))
      } catch (error) {
        // A field that cannot be shown (a getter or toJSON that throws) is no reason to lose the line, or the call.
        open()[name]({ unshown: error instanceof Error ? error.message : 'fields' }, String(message))
      }
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function openPino(level: LogLevel, write: (line: string) => void): Logger {
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino')
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return pino(options, { write })
}

/** A line has each key once: fields named like those of the line itself are renamed. Errors are shown by their stack. */
function keepApart(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: [string, unknown][] = Object.entries(fields).map(([key, value]) => [
    RESERVED.has(key) ? `field_${key}` : key,
    value instanceof Error ? (value.stack ?? String(value)) : typeof value === 'bigint' ? String(value) : value,
  ])
  return Object.fromEntries(kept)
}
const RESERVED: ReadonlySet<string> = new Set(['level', 'time', 'msg'])

/** Everything that a terminal or a log reader could take for a command becomes its JSON escape; the line feed at the end stays. */
export function cleanLine(line: string): string {
  return `${line.trimEnd().replace(UNSAFE, escapeUnits)}\n`
}
// Also what nobody sees: tags, zero width, variation selectors.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

function escapeUnits(character: string): string {
  let out = ''
  for (let i = 0; i < character.length; i++) out += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
  return out
}

function writeStderr(line: string): void {
  process.stderr.write(line)
}

/** The same log for one plugin: its name on every line, which the plugin cannot change. */
export function logFor(log: Log, plugin: string): Log {
  const named = (fields: Readonly<Record<string, unknown>> | undefined) => ({ ...fields, plugin })
  return {
    debug: (message, fields) => log.debug(message, named(fields)),
    info: (message, fields) => log.info(message, named(fields)),
    warn: (message, fields) => log.warn(message, named(fields)),
    error: (message, fields) => log.error(message, named(fields)),
  }
}
