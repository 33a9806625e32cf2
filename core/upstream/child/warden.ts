// A shell beside the gateway that outlives it: when the gateway is gone, however it went, the warden kills what it has left running.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Named } from './process-tree.ts'

export interface Warden {
  /** Stands by from here on: called before a server is started, so that none is ever without it. */
  arm(): void
  /** From here on the group dies with the gateway, and so does what descends from it. */
  watch(group: number): void
  /** What has left the group `group`. */
  strays(group: number, strays: readonly Named[]): void
  /** Invariant: called as soon as the group is empty, before the system can give its number to somebody else. */
  forget(group: number): void
  /** Whoever still runs is killed. */
  close(): void
}

// Its input is the state, one line each time it changes: `g123` for a group, `s123:4567` for a process and its start time. At the end
// of the input, which is the end of the gateway, whatever belongs to the last line is killed, until nothing of it is found any more.
const SCRIPT = `
state=
while read -r line; do state=$line; done
[ -n "$state" ] || exit 0
groups=' ' strays=' '
for word in $state; do
  case $word in
    g*) groups="$groups\${word#g} " ;;
    s*) strays="$strays\${word#s} " ;;
  esac
done
list() {
  if [ -r /proc/self/stat ]; then
    for file in /proc/[0-9]*/stat; do
      read -r line < "$file" || continue
      pid=\${file#/proc/}
      set -- \${line##*) }
      case $1 in Z | X) ;; *) echo "\${pid%/stat} $2 $3 \${20}" ;; esac
    done
  else
    ps -A -o pid= -o ppid= -o pgid=
  fi
}
for round in 1 2 3 4 5; do
  table=$(list)
  found=' '
  grown=1
  while [ $grown = 1 ]; do
    grown=0
    while read -r pid parent group start; do
      case $found in *" $pid "*) continue ;; esac
      ours=
      case $groups in *" $group "*) ours=1 ;; esac
      case $found in *" $parent "*) ours=1 ;; esac
      case $strays in *" $pid:$start "*) ours=1 ;; esac
      if [ -n "$ours" ]; then
        found="$found$pid "
        strays="$strays$pid:$start "
        case $groups in *" $group "*) ;; *) groups="$groups$group " ;; esac
        grown=1
      fi
    done <<EOF
$table
EOF
  done
  [ "$found" != ' ' ] || exit 0
  for group in $groups; do kill -9 "-$group"; done
  for pid in $found; do kill -9 "$pid"; done
  sleep 1
done
`

const MOST_DEATHS = 20

export function createWarden(): Warden {
  const groups = new Map<number, readonly Named[]>()
  let child: ChildProcess | undefined
  let deaths = 0

  function arm(): void {
    child ??= start()
  }

  function tell(): void {
    if (groups.size > 0) arm()
    const words = [...groups].flatMap(([group, strays]) => [`g${group}`, ...strays.map(({ pid, start }) => `s${pid}:${start}`)])
    child?.stdin?.write(`${words.join(' ')}\n`)
  }

  function start(): ChildProcess | undefined {
    if (process.platform === 'win32') return undefined
    // In a session of its own, so that what ends the gateway's does not end it.
    const started = spawn('/bin/sh', ['-c', SCRIPT, 'mcpgw-warden'], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      cwd: '/',
    })
    started.stdin?.on('error', () => {})
    started.on('error', () => {})
    started.once('exit', () => {
      // Somebody has killed it; a shell that cannot run at all is not tried for ever.
      if (child !== started || ++deaths > MOST_DEATHS) return
      child = undefined
      tell()
    })
    started.unref()
    return started
  }

  return {
    arm,
    watch(group) {
      groups.set(group, [])
      tell()
    },
    strays(group, strays) {
      const before = groups.get(group)
      if (before === undefined || before.map(({ pid }) => pid).join() === strays.map(({ pid }) => pid).join()) return
      groups.set(group, strays)
      tell()
    },
    forget(group) {
      if (groups.delete(group)) tell()
    },
    close() {
      const ending = child
      child = undefined
      ending?.stdin?.end()
    },
  }
}
