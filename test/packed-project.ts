// A project as a user has it, with tarballs of this package and of the hello plugin in its node_modules, made without a network.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('..', import.meta.url))

export interface Packed {
  readonly name: string
  readonly filename: string
  /** Paths in the package. */
  readonly files: readonly string[]
}

/** Packs the folder as it is: `prepack` would build again, below the feet of the tests that run beside this one. */
export function pack(folder: string, to: string): Packed {
  const words = ['pack', '--ignore-scripts', '--json', '--pack-destination', to]
  const text = execFileSync('npm', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const said = JSON.parse(text) as unknown
  // npm 12 gives a map by name where the older ones give a list.
  const [one] = Object.values(said as Record<string, { name: string; filename: string; files: { path: string }[] }>)
  return { name: one!.name, filename: join(to, one!.filename), files: one!.files.map(file => file.path) }
}

export interface PackedProject {
  readonly dir: string
  readonly mcpgw: Packed
  readonly hello: Packed
  /** Of the command `mcpgw` as npm would link it. */
  readonly bin: string
  remove(): void
}

/**
 * The tarballs are unpacked where npm would put them, and the dependencies are links to those of this repository: `npm install --offline`
 * knows only what its cache happens to hold. What a tarball contains, how its exports resolve and how the plugin is found stay real.
 */
export function createPackedProject(): PackedProject {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-packed-'))
  const modules = join(dir, 'node_modules')
  mkdirSync(modules)
  const install = (folder: string): Packed => {
    const packed = pack(folder, dir)
    const to = join(modules, packed.name)
    mkdirSync(to)
    execFileSync('tar', ['-xzf', packed.filename, '-C', to, '--strip-components=1'])
    return packed
  }
  const mcpgw = install(root)
  const hello = install(join(root, 'examples/hello-plugin'))
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.') && !readdirSync(modules).includes(name)) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  return {
    dir,
    mcpgw,
    hello,
    bin: join(modules, 'mcpgw/dist/core/cli.js'),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}
