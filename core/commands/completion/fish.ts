// Completion for fish, with what each word is for beside it.
import type { Node } from './nodes.ts'

export function fishScript(nodes: readonly Node[]): string {
  const known = nodes.flatMap(({ path }) => (path === '' ? [] : [fishQuote(path)])).join(' ')
  const lines = nodes.flatMap(({ path, words, options }) => {
    const here = `-n ${fishQuote(`__mcpgw_at ${fishQuote(path)}`)}`
    const noFiles = words.length > 0 ? ['complete -c $command -f', here].join(' ') : undefined
    return [
      ...(noFiles === undefined ? [] : [noFiles]),
      ...words.map(({ word, summary }) => `complete -c $command ${here} -a ${fishQuote(word)} -d ${fishQuote(summary)}`),
      ...options.map(({ word, summary }) => `complete -c $command ${here} -l ${fishQuote(word.slice(2))} -d ${fishQuote(summary)}`),
    ]
  })
  return `# fish completion of mcpgw. In ~/.config/fish/config.fish: mcpgw completion fish | source
function __mcpgw_at --argument-names wanted
    set -l path_so_far ''
    for word in (commandline -opc)[2..-1]
        if contains -- "$path_so_far $word" ${known}
            set path_so_far "$path_so_far $word"
        end
    end
    test "$path_so_far" = "$wanted"
end
for command in mcpgw mcp-gateway
${lines.map(line => `    ${line}\n`).join('')}end
`
}

/** Within single quotes fish knows only these two. */
function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
