/** A cluster of a master without data and two data nodes, so that shards have replicas and primaries can be lost. */
import { freePort } from '../../src/engines/ports.ts'
import type { EngineKind } from '../../src/engines/engine.ts'
import { send, useEngine, type TestEngine } from './engines.ts'

export interface ThreeNodes {
  /** Holds no shard; it stays. */
  readonly master: TestEngine
  /** By name. */
  readonly data: ReadonlyMap<string, TestEngine>
}

/** Elasticsearch 7 and later, OpenSearch. */
export async function startThreeNodes(kind: EngineKind, version: string): Promise<ThreeNodes> {
  const ports = await Promise.all([freePort(), freePort(), freePort()])
  const first = kind === 'opensearch' ? 'cluster_manager' : 'master'
  const common = {
    'discovery.type':
      kind === 'opensearch' ? 'zen' : version.startsWith('7') ? 'zen' : 'multi-node',
    'discovery.seed_hosts': `["127.0.0.1:${ports[0]}"]`,
    // A node that stands still for some seconds is still a node.
    'cluster.fault_detection.follower_check.timeout': '60s',
    'cluster.fault_detection.leader_check.timeout': '60s',
  }
  const node = (i: number, settings: Record<string, string>): Promise<TestEngine> =>
    useEngine(kind, version, {
      own: true,
      settings: {
        ...common,
        'node.name': `n${i}`,
        'transport.port': String(ports[i]),
        ...settings,
      },
    })
  const master = await node(0, {
    'node.roles': `[${first}]`,
    [`cluster.initial_${first}_nodes`]: '["n0"]',
  })
  const data = new Map<string, TestEngine>()
  for (const i of [1, 2])
    data.set(
      `n${i}`,
      await node(i, { 'node.roles': '[data, ingest]', 'path.repo': `["${master.repositoryDir}"]` }),
    )
  await send(master, 'GET', '/_cluster/health?wait_for_nodes=3&timeout=60s')
  return { master, data }
}

/** Name of the node that holds the primary of shard 0. */
export async function primaryNode(master: TestEngine, index: string): Promise<string> {
  const rows = await send<{ node: string; prirep: string; shard: string }[]>(
    master,
    'GET',
    `/_cat/shards/${index}?format=json&h=node,prirep,shard`,
  )
  return rows.find(({ prirep, shard }) => prirep === 'p' && shard === '0')!.node
}
