// Completion for bash, 3.2 and newer (as macOS has it): without bash-completion and without arrays by name.
import { type Node, quote, type Word } from './nodes.ts'

export function bashScript(nodes: readonly Node[]): string {
  const cases = nodes.map(
    ({ path, words, options }) =>
      `    ${quote(path)})\n      words=${quote(joined(words))}\n      options=${quote(joined(options))}\n      ;;`,
  )
  const known = nodes.flatMap(({ path }) => (path === '' ? [] : [quote(path)])).join('|')
  return `# bash completion of mcpgw. In ~/.bashrc: eval "$(mcpgw completion bash)"
_mcpgw() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' words='' options='' word='' at=1
  while [ "$at" -lt "$COMP_CWORD" ]; do
    word="\${COMP_WORDS[at]}"
    at=$((at + 1))
    case "$path $word" in
      ${known}) path="$path $word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "$current" in
    -*) words="$options" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current" || true))
}
# Where no word fits, names of files.
complete -o default -F _mcpgw mcpgw mcp-gateway
`
}

function joined(words: readonly Word[]): string {
  return words.map(({ word }) => word).join(' ')
}
