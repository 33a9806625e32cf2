// The exact environment of a managed server: a short allow-list plus what its configuration declares, never our own environment.

const posixNames = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'] as const

// Without these, programs on Windows find neither system libraries, nor a shell, nor a temporary folder.
const windowsNames = [
  'PATH',
  'PATHEXT',
  'SystemRoot',
  'SystemDrive',
  'ComSpec',
  'TEMP',
  'TMP',
  'TZ',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  'HOMEDRIVE',
  'HOMEPATH',
  'PROCESSOR_ARCHITECTURE',
] as const

/** `declared` wins over an inherited value. `inherited` is the gateway's own environment, given explicitly in tests. */
export function childEnvironment(
  declared: Readonly<Record<string, string>>,
  inherited: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const environment: Record<string, string> = Object.create(null)
  const onWindows = platform === 'win32'
  const taken = new Set(Object.keys(declared).map(name => (onWindows ? name.toUpperCase() : name)))
  for (const name of onWindows ? windowsNames : posixNames) {
    const value = inherited[name]
    if (value !== undefined && !taken.has(onWindows ? name.toUpperCase() : name)) environment[name] = value
  }
  return Object.assign(environment, declared)
}
