// Where the process of a server runs, so that nothing of it stays behind.
import type { Program } from './leader.ts'
import type { ProcessStat } from './proc-stat.ts'

/** `namespace`: the kernel ends all of it with us. `group`: the process group is ended, and what is seen to have left it. */
export type Isolation = 'namespace' | 'group'

export interface Cell {
  readonly isolation: Isolation
  /** A process of ours that leads a group of its own beside the server's. */
  readonly holder: number | undefined
  /** So many processes of the tree are ours and not the server's. */
  readonly ownProcesses: number
  /** The process that leads the server's group is one of those; it has the exit status of the server's, and takes no SIGTERM meant for it. */
  readonly isLedByUs: boolean
  /** The program as it is to be started so that it runs in here, with no core dumps and within its limits. Rejects with a TransportFault. */
  enclose(program: Program): Promise<Program>
  /** It runs, as the leader of this group. */
  occupied(pid: number): void
  /** What has left the group by now; `tree` is what is known of it without looking. */
  findStrays(tree?: readonly ProcessStat[]): readonly ProcessStat[]
  /** Resolves once nothing is left in it, as far as that can be known. */
  end(): Promise<void>
}
