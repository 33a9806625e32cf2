# fish completion of mcpgw. In ~/.config/fish/config.fish: mcpgw completion fish | source
function __mcpgw_at --argument-names wanted
    set -l path_so_far ''
    for word in (commandline -opc)[2..-1]
        if contains -- "$path_so_far $word" ' run' ' serve' ' audit' ' audit log' ' connect'
            set path_so_far "$path_so_far $word"
        end
    end
    test "$path_so_far" = "$wanted"
end
for command in mcpgw mcp-gateway
    complete -c $command -f -n '__mcpgw_at \'\''
    complete -c $command -n '__mcpgw_at \'\'' -a 'audit' -d 'commands of audit'
    complete -c $command -n '__mcpgw_at \'\'' -a 'connect' -d 'Point a client'
    complete -c $command -n '__mcpgw_at \'\'' -a 'run' -d 'Run it'
    complete -c $command -n '__mcpgw_at \'\'' -a 'serve' -d 'Run it'
    complete -c $command -n '__mcpgw_at \'\'' -l 'help' -d 'show help'
    complete -c $command -n '__mcpgw_at \'\'' -l 'version' -d 'show the version'
    complete -c $command -n '__mcpgw_at \' run\'' -l 'config' -d 'config file'
    complete -c $command -n '__mcpgw_at \' run\'' -l 'data-dir' -d 'data directory'
    complete -c $command -n '__mcpgw_at \' run\'' -l 'help' -d 'show help'
    complete -c $command -n '__mcpgw_at \' run\'' -l 'json' -d 'one JSON document on stdout'
    complete -c $command -n '__mcpgw_at \' run\'' -l 'stdio' -d 'for one client'
    complete -c $command -n '__mcpgw_at \' serve\'' -l 'config' -d 'config file'
    complete -c $command -n '__mcpgw_at \' serve\'' -l 'data-dir' -d 'data directory'
    complete -c $command -n '__mcpgw_at \' serve\'' -l 'help' -d 'show help'
    complete -c $command -n '__mcpgw_at \' serve\'' -l 'json' -d 'one JSON document on stdout'
    complete -c $command -n '__mcpgw_at \' serve\'' -l 'stdio' -d 'for one client'
    complete -c $command -f -n '__mcpgw_at \' audit\''
    complete -c $command -n '__mcpgw_at \' audit\'' -a 'log' -d 'Show records'
    complete -c $command -n '__mcpgw_at \' audit log\'' -l 'config' -d 'config file'
    complete -c $command -n '__mcpgw_at \' audit log\'' -l 'data-dir' -d 'data directory'
    complete -c $command -n '__mcpgw_at \' audit log\'' -l 'help' -d 'show help'
    complete -c $command -n '__mcpgw_at \' audit log\'' -l 'json' -d 'one JSON document on stdout'
    complete -c $command -n '__mcpgw_at \' audit log\'' -l 'limit' -d 'how many'
    complete -c $command -f -n '__mcpgw_at \' connect\''
    complete -c $command -n '__mcpgw_at \' connect\'' -a 'cursor' -d 'which'
    complete -c $command -n '__mcpgw_at \' connect\'' -l 'config' -d 'config file'
    complete -c $command -n '__mcpgw_at \' connect\'' -l 'data-dir' -d 'data directory'
    complete -c $command -n '__mcpgw_at \' connect\'' -l 'help' -d 'show help'
    complete -c $command -n '__mcpgw_at \' connect\'' -l 'json' -d 'one JSON document on stdout'
end
