import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Cluster, EngineVersion } from '../cluster/cluster.ts'
import { versionName } from '../cluster/version.ts'
import { objectOf, textOf } from '../metadata/json-objects.ts'
import { isFrom } from '../metadata/rules/rule.ts'
import {
  isUnknown,
  type Clients,
  type HttpClientFacts,
  type OrUnknown,
  type SniffingFacts,
  type TransportFacts,
} from './assessment.ts'
import { orUnknown } from './or-unknown.ts'

/** Who talks to a live cluster, as far as its nodes say: two requests. */
export async function readClients(cluster: Cluster, signal?: AbortSignal): Promise<Clients> {
  const ask = async (path: string, parts: string): Promise<{ nodes: JsonObject[] }> => {
    const { body } = await cluster.request('GET', path, {
      query: { filter_path: parts },
      ...(signal && { signal }),
    })
    return { nodes: Object.values(objectOf(body.nodes)).map(objectOf) }
  }
  const stats = await orUnknown(() => ask(statsPath, 'nodes.*.http,nodes.*.transport.server_open'))
  const usage: OrUnknown<{ nodes: JsonObject[] }> = countsUsage(cluster.version)
    ? await orUnknown(() => ask('/_nodes/usage/rest_actions', usageParts))
    : {
        unknown: `${versionName(cluster.version)} does not count requests by kind (Elasticsearch 6.0 and later do)`,
      }
  const sniffing = isUnknown(usage) ? usage : sniffingFacts(usage.nodes)
  if (isUnknown(stats)) return { http: stats, httpConnections: stats, sniffing, transport: stats }
  const open = stats.nodes.map(({ http }) => objectOf(http).current_open)
  return {
    http: httpClients(cluster.version, stats.nodes),
    httpConnections: sumOf(open) ?? { unknown: 'the nodes do not say' },
    sniffing,
    transport: transportFacts(stats.nodes),
  }
}

/** For a source that is a snapshot. */
export function unknownClients(unknown: string): Clients {
  const reason = { unknown }
  return { http: reason, httpConnections: reason, sniffing: reason, transport: reason }
}

const statsPath = '/_nodes/stats/http,transport'
const usageParts = 'nodes.*.since,nodes.*.timestamp,nodes.*.rest_actions.nodes_info_action'

function countsUsage({ flavour, major }: EngineVersion): boolean {
  return flavour === 'opensearch' || major >= 6
}

/** Elasticsearch lists its HTTP clients since 7.13: each with agent, addresses, the last path and counts. */
function httpClients(
  version: EngineVersion,
  nodes: readonly JsonObject[],
): OrUnknown<HttpClientFacts[]> {
  if (version.flavour === 'opensearch' || !isFrom(version, '7.13')) {
    return {
      unknown: `${versionName(version)} does not list its clients (Elasticsearch 7.13 and later do)`,
    }
  }
  const byAgent = new Map<
    string,
    { connections: number; requests: number; addresses: Set<string>; sniffs: boolean }
  >()
  for (const { http } of nodes) {
    const { clients } = objectOf(http)
    for (const client of Array.isArray(clients) ? clients.filter(isJsonObject) : []) {
      const lastUri = textOf(client.last_uri)
      // The connection that asks this very question is ours.
      if (client.closed_time_millis !== undefined || lastUri.startsWith(statsPath)) continue
      const agent = client.agent === undefined ? 'says no name' : textOf(client.agent)
      const facts = byAgent.get(agent) ?? {
        connections: 0,
        requests: 0,
        addresses: new Set(),
        sniffs: false,
      }
      byAgent.set(agent, facts)
      facts.connections++
      facts.requests += typeof client.request_count === 'number' ? client.request_count : 0
      if (facts.addresses.size < addressesMax)
        facts.addresses.add(hostOf(textOf(client.remote_address)))
      if (asksForNodes.test(lastUri)) facts.sniffs = true
    }
  }
  return [...byAgent]
    .map(([agent, facts]) => ({ agent, ...facts, addresses: [...facts.addresses].sort() }))
    .sort((a, b) => b.connections - a.connections)
}

const addressesMax = 100
/** `/_nodes/http`, `/_nodes/_all/http`: where clients look up the addresses of the nodes. */
const asksForNodes = /^\/_nodes\/(?!stats|usage)([^/?]+\/)?[^?]*\bhttp\b/

/** `10.0.0.1:5123` and `[::1]:5123` without the port. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, '')
}

function sniffingFacts(nodes: readonly JsonObject[]): SniffingFacts {
  let requestsForNodes = 0
  let longestMs = 0
  for (const { rest_actions: actions, since, timestamp } of nodes) {
    const count = objectOf(actions).nodes_info_action
    requestsForNodes += typeof count === 'number' ? count : 0
    if (typeof since === 'number' && typeof timestamp === 'number') {
      longestMs = Math.max(longestMs, timestamp - since)
    }
  }
  return {
    requestsForNodes,
    hours: longestMs / 3_600_000,
    note: 'Clients that sniff ask for the list of nodes again and again, and then go past a proxy or load balancer in front of the cluster: switch sniffing off before clients are moved. Kibana (every few seconds), monitoring and osmigrate ask for it, too.',
  }
}

/**
 * A node holds at most 13 connections to each other node of its cluster (recovery 2, bulk 3, regular 6, state 1, ping
 * 1). What is open beyond that comes from others: transport clients, other clusters that search across.
 */
const connectionsPerNode = 13

function transportFacts(nodes: readonly JsonObject[]): OrUnknown<TransportFacts> {
  const connections = sumOf(nodes.map(({ transport }) => objectOf(transport).server_open))
  if (connections === undefined) return { unknown: 'the nodes do not say' }
  const expectedMax = connectionsPerNode * nodes.length * (nodes.length - 1)
  return { connections, expectedMax, others: Math.max(0, connections - expectedMax) }
}

function sumOf(values: readonly unknown[]): number | undefined {
  const numbers = values.filter((value) => typeof value === 'number')
  return numbers.length === 0 ? undefined : numbers.reduce((sum, value) => sum + value, 0)
}
