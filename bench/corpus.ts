/** The input of the benchmark: real snapshots, of Elasticsearch 7.10.2 if not said, made once and kept in the cache. */
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { JsonObject } from '../src/base/json.ts'
import { connectCluster } from '../src/cluster/connect.ts'
import type { Cluster } from '../src/cluster/cluster.ts'
import { startEngine } from '../src/engines/engine.ts'
import { engineCacheFolder } from '../src/engines/home.ts'
import { finalDocument, isUpdated, logDocument, logMapping } from './log-documents.ts'
import { OutputHash } from './output-hash.ts'

export interface CorpusShape {
  readonly documents: number
  readonly shards: number
  /** As `index.codec` names it. */
  readonly codec: string
  /** The engine that writes it, where it is not the usual one: its mapping then has no fields, since none is read. */
  readonly engine?: CorpusEngine
  /** Files are cut into parts of this many bytes. */
  readonly chunkBytes?: number
}

export interface CorpusEngine {
  readonly kind: 'elasticsearch' | 'opensearch'
  /** Whole, e.g. 8.19.0. */
  readonly version: string
}

export interface Corpus extends Omit<CorpusShape, 'engine'> {
  /** The repository's folder. */
  readonly repository: string
  readonly snapshot: string
  readonly index: string
  readonly sourceBytes: number
  /** Of all documents as they must arrive: output-hash.ts. */
  readonly hash: string
  readonly engine: string
}

/** Changes when documents or settings change, so that older snapshots are not taken for new ones. */
const corpusVersion = 2
const usualEngine: CorpusEngine = { kind: 'elasticsearch', version: '7.10.2' }
const bulkBytes = 5 * 1024 * 1024
const index = 'logs'
const snapshot = 'bench'

/** The engines' breaker counts garbage as use, and the serial collector leaves it until the heap is full: 429 without need. */
export const garbageIsNoUse = { 'indices.breaker.total.use_real_memory': 'false' }

/** Gives the corpus of a shape, making it when it is not in the cache (about a minute for 450 MB). */
export async function openCorpus(
  shape: CorpusShape,
  onProgress: (message: string) => void,
): Promise<Corpus> {
  const cache = path.join(path.dirname(engineCacheFolder()), 'bench')
  const engine = shape.engine ?? usualEngine
  const name = [
    ...['logs', shape.documents, shape.shards, shape.codec],
    ...(shape.engine === undefined ? [] : [engine.kind, engine.version]),
    ...(shape.chunkBytes === undefined ? [] : ['chunks', shape.chunkBytes]),
    `v${corpusVersion}`,
  ].join('-')
  const folder = path.join(cache, name)
  const known = await readManifest(folder)
  if (known !== undefined) return { ...known, repository: path.join(folder, 'repository') }
  onProgress(`making ${name} with ${engine.kind} ${engine.version} (once, kept in ${cache})`)
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(path.join(cache, '.work-'))
  try {
    const repository = path.join(work, 'repository')
    const made = await makeSnapshot(shape, repository, onProgress)
    const corpus = { ...shape, ...made }
    await writeFile(path.join(work, 'corpus.json'), JSON.stringify(corpus))
    await rename(work, folder)
    return { ...corpus, repository: path.join(folder, 'repository') }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function readManifest(folder: string): Promise<Omit<Corpus, 'repository'> | undefined> {
  try {
    const text = await readFile(path.join(folder, 'corpus.json'), 'utf8')
    return JSON.parse(text) as Omit<Corpus, 'repository'>
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function makeSnapshot(
  shape: CorpusShape,
  repository: string,
  onProgress: (message: string) => void,
): Promise<Omit<Corpus, 'repository' | 'documents' | 'shards' | 'codec'>> {
  const { kind, version } = shape.engine ?? usualEngine
  const major = kind === 'opensearch' ? 7 : Number.parseInt(version, 10)
  const engine = await startEngine({
    ...{ kind, version, heapMb: 1024 },
    ...(major >= 7 && { settings: garbageIsNoUse }),
  })
  const cluster = await connectCluster('source', { url: [engine.url] })
  try {
    const type = major < 7 ? 'doc' : undefined
    if (shape.engine === undefined) await createLogIndex(cluster, index, shape)
    else await createPlainIndex(cluster, index, shape, type)
    const output = await fillIndex(cluster, { documents: shape.documents, type }, onProgress)
    await cluster.request('POST', `/${index}/_flush`, { query: { force: true } })
    const location = path.join(engine.repositoryDir, 'repository')
    const chunks = shape.chunkBytes === undefined ? {} : { chunk_size: `${shape.chunkBytes}b` }
    const settings = { location, compress: true, ...chunks }
    await cluster.request('PUT', '/_snapshot/bench', { body: { type: 'fs', settings } })
    await cluster.request('PUT', `/_snapshot/bench/${snapshot}`, {
      query: { wait_for_completion: true },
      body: { indices: index, include_global_state: false },
      timeoutMs: 600_000,
    })
    await cp(location, repository, { recursive: true })
    const { documents, sourceBytes } = output
    if (documents !== shape.documents) throw new Error(`${documents} documents were made`)
    const hash = output.text()
    return { snapshot, index, sourceBytes, hash, engine: `${kind} ${version}` }
  } finally {
    await cluster.close()
    await engine.stop()
  }
}

/** An index for such documents, on source and target alike. */
export async function createLogIndex(
  cluster: Cluster,
  name: string,
  shape: Pick<CorpusShape, 'shards' | 'codec'>,
): Promise<void> {
  const settings: JsonObject = {
    'index.number_of_shards': shape.shards,
    'index.number_of_replicas': 0,
    'index.refresh_interval': '-1',
    'index.codec': shape.codec,
  }
  await cluster.request('PUT', `/${name}`, { body: { settings, mappings: logMapping } })
}

/** Nothing but stored fields: any engine, and the sooner done. */
async function createPlainIndex(
  cluster: Cluster,
  name: string,
  { shards, codec }: CorpusShape,
  type: string | undefined,
): Promise<void> {
  const settings: JsonObject = {
    'index.number_of_shards': shards,
    'index.number_of_replicas': 0,
    'index.refresh_interval': '-1',
    ...(codec !== 'default' && { 'index.codec': codec }),
  }
  const mapping = { dynamic: false }
  const mappings = type === undefined ? mapping : { [type]: mapping }
  await cluster.request('PUT', `/${name}`, { body: { settings, mappings } })
}

async function fillIndex(
  cluster: Cluster,
  { documents, type }: { documents: number; type: string | undefined },
  onProgress: (message: string) => void,
): Promise<OutputHash> {
  const output = new OutputHash()
  let lines: string[] = []
  let bytes = 0
  const flush = async (): Promise<void> => {
    const body = Buffer.from(lines.join(''))
    const place = type === undefined ? index : `${index}/${type}`
    const answer = await cluster.request('POST', `/${place}/_bulk`, {
      query: { filter_path: 'errors' },
      body,
      timeoutMs: 300_000,
    })
    if (answer.body['errors'] !== false) throw new Error('a bulk of the corpus was refused')
    lines = []
    bytes = 0
  }
  const put = async ({ id, source }: { id: string; source: string }): Promise<void> => {
    lines.push(`{"index":{"_id":"${id}"}}\n${source}\n`)
    bytes += source.length
    if (bytes > bulkBytes) await flush()
  }
  for (let n = 0; n < documents; n++) {
    await put(logDocument(n, 0))
    const { id, source } = finalDocument(n)
    const text = Buffer.from(id + source)
    output.add(text, { start: 0, end: id.length }, { start: id.length, end: text.length })
    if ((n + 1) % 50_000 === 0) onProgress(`${n + 1} of ${documents} documents indexed`)
  }
  for (let n = 0; n < documents; n++) if (isUpdated(n)) await put(finalDocument(n))
  await flush()
  return output
}
