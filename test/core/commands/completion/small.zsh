#compdef mcpgw mcp-gateway
# zsh completion of mcpgw. In ~/.zshrc, after compinit: eval "$(mcpgw completion zsh)"
_mcpgw() {
  local path_so_far='' word
  local -a found options
  for word in "${(@)words[2,CURRENT-1]}"; do
    case "$path_so_far $word" in
      ' run'|' serve'|' audit'|' audit log'|' connect') path_so_far="$path_so_far $word" ;;
    esac
  done
  case "$path_so_far" in
    '')
      found=('audit:commands of audit' 'connect:Point a client' 'run:Run it' 'serve:Run it')
      options=('--help:show help' '--version:show the version')
      ;;
    ' run')
      found=()
      options=('--config:config file' '--data-dir:data directory' '--help:show help' '--json:one JSON document on stdout' '--stdio:for one client')
      ;;
    ' serve')
      found=()
      options=('--config:config file' '--data-dir:data directory' '--help:show help' '--json:one JSON document on stdout' '--stdio:for one client')
      ;;
    ' audit')
      found=('log:Show records')
      options=()
      ;;
    ' audit log')
      found=()
      options=('--config:config file' '--data-dir:data directory' '--help:show help' '--json:one JSON document on stdout' '--limit:how many')
      ;;
    ' connect')
      found=('cursor:which')
      options=('--config:config file' '--data-dir:data directory' '--help:show help' '--json:one JSON document on stdout')
      ;;
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
