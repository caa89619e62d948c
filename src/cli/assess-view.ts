import { isUnknown, type Assessment, type OrUnknown } from '../assess/assessment.ts'
import {
  formatBytes,
  formatHours,
  formatNumber,
  formatTable,
  printLine,
  printable,
  type Cell,
} from './output.ts'

const rowsMax = 10
const namesMax = 3

/** The assessment for a terminal: the short of it; `--json` and `--html` have all of it. */
export function printAssessment(assessment: Assessment): void {
  const { source, target, sizes, breakingChanges, staysBehind, features, path, complete } =
    assessment
  printLine(
    `${source.engine} (${printable(source.place)}) → ${target.engine} (${target.place ?? target.basis})`,
  )
  printLine(
    `${formatNumber(sizes.indices)} indices · ${formatNumber(sizes.primaryShards)} primary shards · ` +
      `${figure(sizes.primaryBytes, formatBytes)} · ${figure(sizes.documents, formatNumber)} documents`,
  )
  table(
    'of unknown size, and in no sum',
    ['index', 'why'],
    sizes.unsized.map(({ index, reason }) => [index, reason]),
  )
  table(
    'largest indices',
    ['index', 'shards', 'replicas', 'documents', 'bytes'],
    sizes.largestIndices.map((one) => [
      one.index,
      one.primaryShards,
      one.replicas,
      short(one.documents, formatNumber),
      short(one.primaryBytes, formatBytes),
    ]),
  )
  table(
    'largest shards',
    ['index', 'shard', 'bytes'],
    sizes.largestShards.map(({ index, shard, bytes }) => [index, shard, formatBytes(bytes)]),
  )
  list('nodes', assessment.nodes, ['name', 'version', 'roles', 'disk free'], (node) => [
    node.name,
    node.version,
    node.roles.join(', '),
    figure(node.diskFreeBytes, formatBytes),
  ])
  list(
    'plugins',
    assessment.plugins,
    ['plugin', 'version', 'nodes', 'on OpenSearch', 'note'],
    (plugin) => [plugin.name, plugin.version, plugin.nodes, plugin.onTarget, plugin.note],
  )
  table(
    'in use',
    ['feature', 'number', 'of'],
    features.map(({ feature, count, objects }) => [feature, count, names(objects)]),
    Infinity,
  )
  table(
    'what changes with a loss or another meaning',
    ['severity', 'rule', 'objects', 'of', 'why'],
    breakingChanges.map(({ severity, rule, objects, reason }) => [
      severity,
      rule ?? '-',
      objects.length,
      names(objects.map(({ name }) => name)),
      reason,
    ]),
    Infinity,
  )
  table(
    'what does not move',
    ['kind', 'name', 'why'],
    staysBehind.map(({ kind, name, reason }) => [kind, name, reason]),
    Infinity,
  )
  printClients(assessment)
  printEstimate(assessment)
  printLine(`\nproposed: ${path.path}: ${path.why}`)
  path.steps.forEach((step, i) => printLine(`  ${i + 1}. ${printable(step)}`))
  printLine(
    complete ? '\nEverything selected can move.' : '\nNot everything can move as it is: see above.',
  )
}

function printClients({ clients }: Assessment): void {
  list(
    'HTTP clients',
    clients.http,
    ['client', 'connections', 'requests', 'sniffs', 'from'],
    (client) => [
      client.agent,
      client.connections,
      client.requests,
      client.sniffs,
      names(client.addresses),
    ],
  )
  const { httpConnections, sniffing, transport } = clients
  printLine(`open HTTP connections: ${figure(httpConnections, formatNumber)}`)
  printLine(
    isUnknown(sniffing)
      ? `sniffing: unknown: ${sniffing.unknown}`
      : `requests for the list of nodes: ${formatNumber(sniffing.requestsForNodes)} in ${formatNumber(sniffing.hours)} h`,
  )
  printLine(
    isUnknown(transport)
      ? `transport port: unknown: ${transport.unknown}`
      : `transport port: ${transport.connections} connections, at most ${transport.expectedMax} of them among the nodes; at least ${transport.others} from elsewhere`,
  )
}

function printEstimate({ estimate, writes }: Assessment): void {
  const rows: [string, string][] = [
    ['backfill', figure(estimate.backfillHours, formatHours)],
    ['bytes to carry over', figure(estimate.backfillBytes, formatBytes)],
    ['snapshot', figure(estimate.snapshotHours, formatHours)],
    ['indices written to', figure(estimate.deltaHours, formatHours)],
    ['disk on the target', figure(estimate.targetDiskBytes, formatBytes)],
    ['free there', figure(estimate.targetDiskFreeBytes, formatBytes)],
    [
      'writes',
      isUnknown(writes)
        ? `unknown: ${writes.unknown}`
        : `${formatNumber(writes.writesPerSecond)}/s in ${formatNumber(writes.seconds)} s`,
    ],
    [
      'bytes of writes',
      isUnknown(writes)
        ? `unknown: ${writes.unknown}`
        : figure(writes.bytesPerSecond, (bytes) => `${formatBytes(bytes)}/s`),
    ],
    ['log of a capture', figure(estimate.captureLogBytes, formatBytes)],
  ]
  table('estimate', ['what', 'about'], rows, Infinity)
  printLine(`rate: ${estimate.rate.text}`)
}

function figure(value: OrUnknown<number>, format: (value: number) => string): string {
  return isUnknown(value) ? `unknown: ${value.unknown}` : format(value)
}

/** For cells, where the reason has no room: the line of the sums has it. */
function short(value: OrUnknown<number>, format: (value: number) => string): string {
  return isUnknown(value) ? 'unknown' : format(value)
}

function list<T>(
  title: string,
  items: OrUnknown<readonly T[]>,
  header: readonly string[],
  row: (item: T) => Cell[],
): void {
  if (isUnknown(items)) printLine(`\n${title}: unknown: ${items.unknown}`)
  else table(title, header, items.map(row))
}

function table(
  title: string,
  header: readonly string[],
  rows: readonly Cell[][],
  max = rowsMax,
): void {
  if (rows.length === 0) return
  const more = rows.length > max ? ` (the first ${max} of ${formatNumber(rows.length)})` : ''
  printLine(`\n${title}${more}:`)
  printLine(formatTable(header, rows.slice(0, max)))
}

function names(all: readonly string[]): string {
  const shown = all.slice(0, namesMax).join(', ')
  return all.length > namesMax ? `${shown} and ${all.length - namesMax} more` : shown
}
