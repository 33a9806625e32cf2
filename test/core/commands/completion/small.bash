# bash completion of mcpgw. In ~/.bashrc: eval "$(mcpgw completion bash)"
_mcpgw() {
  local current="${COMP_WORDS[COMP_CWORD]}" path='' words='' options='' word='' at=1
  while [ "$at" -lt "$COMP_CWORD" ]; do
    word="${COMP_WORDS[at]}"
    at=$((at + 1))
    case "$path $word" in
      ' run'|' serve'|' audit'|' audit log'|' connect') path="$path $word" ;;
    esac
  done
  case "$path" in
    '')
      words='audit connect run serve'
      options='--help --version'
      ;;
    ' run')
      words=''
      options='--config --data-dir --help --json --stdio'
      ;;
    ' serve')
      words=''
      options='--config --data-dir --help --json --stdio'
      ;;
    ' audit')
      words='log'
      options=''
      ;;
    ' audit log')
      words=''
      options='--config --data-dir --help --json --limit'
      ;;
    ' connect')
      words='cursor'
      options='--config --data-dir --help --json'
      ;;
  esac
  case "$current" in
    -*) words="$options" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current" || true))
}
# Where no word fits, names of files.
complete -o default -F _mcpgw mcpgw mcp-gateway
