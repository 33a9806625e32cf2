// Verbs to a commander program: help, parsing and usage errors come from there, what happens comes from the verb.
import { Argument, Command, CommanderError, Option } from 'commander'
import type { Surroundings, Verb, VerbIo, VerbOption } from './verb.ts'

/** Parses `words` (without node and script) and runs the verb; the exit code. A usage error is 2. */
export async function runProgram(verbs: readonly Verb[], words: readonly string[], around: Surroundings): Promise<number> {
  let code = 0
  const program = new Command('mcpgw')
  program
    .description('The gateway between AI agents and MCP servers that decides, records and accounts for every call.')
    .version(around.version, '-V, --version')
    .helpOption('-h, --help', 'show help')
    // An option of a verb may be called as one of the program is.
    .enablePositionalOptions()
  for (const verb of verbs) {
    addVerb(
      program,
      verb,
      async io => {
        code = await (await verb.load())(io)
      },
      around,
    )
  }
  settle(program, around)
  try {
    await program.parseAsync([...words], { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : 2
  }
}

function addVerb(program: Command, verb: Verb, run: (io: VerbIo) => Promise<void>, around: Surroundings): void {
  const parent = verb.path
    .slice(0, -1)
    .reduce<Command>((at, word) => at.commands.find(one => one.name() === word) ?? at.command(word), program)
  const name = verb.path.at(-1) ?? ''
  const command = parent.commands.find(one => one.name() === name) ?? parent.command(name)
  command.description(verb.summary)
  if (verb.alias !== undefined) command.alias(verb.alias)
  for (const { name: argument, summary, choices } of verb.args ?? []) {
    const one = new Argument(argument, summary)
    command.addArgument(choices === undefined ? one : one.choices(choices))
  }
  for (const option of verb.options ?? []) command.addOption(toOption(option))
  command.option('--json', 'one JSON document on stdout')
  command.option('-c, --config <file>', 'config file')
  command.option('--data-dir <dir>', 'data directory')
  command.addHelpText('after', `\nExamples:\n${verb.examples.map(line => `  $ ${line}`).join('\n')}`)
  command.action(async (...given: unknown[]) => {
    const options = command.opts<VerbIo['options']>()
    const args = given.slice(0, verb.args?.length ?? 0) as VerbIo['args']
    await run({ ...around, args, options, json: options.json === true })
  })
}

function toOption({ flags, summary, default: otherwise, repeat }: VerbOption): Option {
  const option = new Option(flags, summary)
  if (otherwise !== undefined) option.default(otherwise)
  if (repeat === true) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value])
  return option
}

// Every level reports in the same way; a group without a verb shows its help.
function settle(command: Command, around: Surroundings): void {
  command.exitOverride()
  command.helpCommand(false)
  if (command.parent !== null && command.commands.length > 0) command.summary(command.commands.map(one => one.name()).join(', '))
  command.configureOutput({
    writeOut: text => around.out(text),
    writeErr: text => around.err(text),
    outputError: (text, write) => write(text.replace(/^error: /, 'error[usage]: ')),
  })
  command.showHelpAfterError(`  = help: mcpgw ${pathOf(command)}--help`)
  for (const inner of command.commands) settle(inner, around)
}

function pathOf(command: Command): string {
  return command.parent === null ? '' : `${pathOf(command.parent)}${command.name()} `
}
