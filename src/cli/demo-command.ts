import type { Command } from 'commander'
import { addExamples, defineAction } from './command.ts'

export function defineDemo(command: Command): void {
  command
    .description(
      'Starts a real Elasticsearch 7.10.2 with sample data and a real OpenSearch on this machine, moves everything from one to the other, and proves that all of it arrived. Downloads both at first (about 300 MB). Nothing outside temporary folders is touched.',
    )
    .option(
      '--exit',
      'end afterwards, with exit code 0 only when all is equal (default: keep both running)',
    )
    .option(
      '--scale <SHARE>',
      'share of the sample data, from 0.001 to 1 (default: 1, about 143,000 documents)',
    )
  addExamples(command, [
    ['osmigrate demo', 'Ctrl-C stops what it started'],
    ['osmigrate demo --exit', ''],
  ])
  defineAction(
    command,
    async (invocation) => {
      const { runDemo } = await import('./demo.ts')
      return runDemo(invocation)
    },
    { stopping: 'stopping everything that the demo started' },
  )
}
