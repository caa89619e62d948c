import { Argument, type Command } from 'commander'
import { leastRoles, type Role } from '../assess/roles.ts'
import { addConfigFlags, addExamples, defineAction, type Invocation } from './command.ts'
import { printJson, printLine } from './output.ts'

export function defineClusters(command: Command): void {
  command.description('What the clusters of a migration have to allow.')
  const roles = command
    .command('roles')
    .summary('print the least roles that a user needs on a cluster')
    .description(
      'Prints the least that a user needs on the source or on the target, as roles that can be put there: of OpenSearch security, and for a source of Elasticsearch. Asks no cluster. The indices are those of the selection.',
    )
    .addArgument(new Argument('<side>', 'which cluster').choices(['source', 'target']))
  addConfigFlags(roles, ['select', 'metadata.rename', 'metadata.types'])
  addExamples(roles, [
    ['osmigrate clusters roles source', ''],
    ["osmigrate clusters roles target --index 'logs-*' --json", ''],
  ])
  defineAction(roles, rolesCommand)
}

async function rolesCommand(invocation: Invocation): Promise<void> {
  const { config } = await invocation.loadConfig()
  const side = invocation.args[0] === 'target' ? 'target' : 'source'
  const roles = leastRoles(side, config.select.include, config.metadata)
  if (invocation.json) return printJson({ side, roles })
  roles.forEach(printRole)
}

function printRole({ system, request, body, notes }: Role): void {
  printLine(`# ${system}`)
  for (const note of notes) printLine(`# ${note}`)
  printLine(request)
  printLine(JSON.stringify(body, null, 2))
  printLine()
}
