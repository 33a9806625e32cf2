// Completion for zsh, with what each word is for beside it.
import { type Node, quote, type Word } from './nodes.ts'

export function zshScript(nodes: readonly Node[]): string {
  const cases = nodes.map(
    ({ path, words, options }) => `    ${quote(path)})\n      found=(${described(words)})\n      options=(${described(options)})\n      ;;`,
  )
  const known = nodes.flatMap(({ path }) => (path === '' ? [] : [quote(path)])).join('|')
  return `#compdef mcpgw mcp-gateway
# zsh completion of mcpgw. In ~/.zshrc, after compinit: eval "$(mcpgw completion zsh)"
_mcpgw() {
  local path_so_far='' word
  local -a found options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$path_so_far $word" in
      ${known}) path_so_far="$path_so_far $word" ;;
    esac
  done
  case "$path_so_far" in
${cases.join('\n')}
  esac
  if [[ "$words[CURRENT]" == -* ]]; then
    _describe -o 'option' options
  elif (( $#found )); then
    _describe 'command' found
  else
    _files
  fi
}
compdef _mcpgw mcpgw mcp-gateway
`
}

// A colon ends the word.
function described(words: readonly Word[]): string {
  return words.map(({ word, summary }) => quote(`${word.replaceAll(':', '\\:')}:${summary}`)).join(' ')
}
