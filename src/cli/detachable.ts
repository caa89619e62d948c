import type { Command } from 'commander'
import { defineAction, type Handler } from './command.ts'
import type { Detached } from './detach.ts'

/** The action of a command that runs until it is done or stopped: here, or in the background with `--detach`. */
export function defineDetachable(
  command: Command,
  { stopping, ...detached }: Detached & { readonly stopping: string },
  run: Handler,
): void {
  defineAction(
    command,
    async (invocation) => {
      if (invocation.options.detach !== true) return run(invocation)
      const { detach } = await import('./detach.ts')
      return detach(invocation, detached)
    },
    { stopping },
  )
}
