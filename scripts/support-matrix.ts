/**
 * docs/reference/support-matrix.md: what is read, by the tables in the source, and which fixture proves it. A fixture
 * proves what is in its files: the tests read it whole and compare every document with what its engine said.
 */
import { readdir, readFile } from 'node:fs/promises'
import type { Directory } from '../src/blob/byte-source.ts'
import { openBlobStore } from '../src/blob/open.ts'
import { readAnyHeader } from '../src/bytes/codec.ts'
import { Cursor } from '../src/bytes/cursor.ts'
import { readCommit } from '../src/lucene/commit.ts'
import { openCompound } from '../src/lucene/compound.ts'
import {
  compoundFormats,
  docValuesFormats,
  fieldInfosFormats,
  liveDocsFormats,
  segmentInfoFormats,
  storedFieldsFormats,
  type FormatRow,
} from '../src/lucene/formats.ts'
import { readSegmentInfo } from '../src/lucene/segment-info.ts'
import { openRepository } from '../src/snapshot/repository.ts'
import type { ShardFiles } from '../src/snapshot/snapshot.ts'

const fixtures = new URL('../test/fixtures/', import.meta.url)
/** The longest header of a file. */
const headBytes = 256

const tables: readonly (readonly [string, ReadonlyMap<string, FormatRow>])[] = [
  ['segment info (.si)', segmentInfoFormats],
  ['compound files (.cfe)', compoundFormats],
  ['field infos (.fnm)', fieldInfosFormats],
  ['live documents (.liv)', liveDocsFormats],
  ['stored fields (.fdt)', storedFieldsFormats],
  ['doc values (.dvm)', docValuesFormats],
]

interface Proof {
  /** Folder below test/fixtures, e.g. `elasticsearch-7.10.2`. */
  readonly engine: string
  documents: number
  readonly sets: string[]
  /** Versions of Lucene that wrote segments. */
  readonly lucene: Set<string>
  /** `<format> <version>` of each file. */
  readonly formats: Set<string>
}

/** The page, in Markdown. */
export async function supportMatrix(): Promise<string> {
  const proofs: Proof[] = []
  for (const entry of await readdir(fixtures, { withFileTypes: true })) {
    if (entry.isDirectory()) proofs.push(await readProof(entry.name))
  }
  proofs.sort((a, b) => a.engine.localeCompare(b.engine, 'en', { numeric: true }))
  return [
    '# What is read, and what proves it',
    'Made by `node scripts/build-reference.ts` from the tables in src/lucene/formats.ts and from the files in ' +
      'test/fixtures. Each fixture is a snapshot repository that the engine named in the first column made, and the ' +
      'answers of that engine; the tests read it whole and compare every document. Nothing else is claimed.',
    '## Snapshots',
    ...table(
      ['made by', 'segments written by Lucene', 'documents compared', 'fixtures'],
      proofs.map(({ engine, lucene, documents, sets }) => [
        engineName(engine),
        sorted(lucene).join(', '),
        `${documents}`,
        sets.map((set) => `${engine}/${set}`).join(', '),
      ]),
    ),
    '## Formats of files in a shard',
    'Formats that are not in this list concern postings, points, norms, vectors and the like, and are not read.',
    ...table(['file', 'format', 'version', 'proven by'], formatRows(proofs)),
    '',
  ].join('\n\n')
}

function formatRows(proofs: readonly Proof[]): string[][] {
  return tables.flatMap(([what, formats]) =>
    [...formats].flatMap(([name, { minVersion, maxVersion }]) => {
      const versions = Array.from({ length: maxVersion - minVersion + 1 }, (_, i) => minVersion + i)
      return versions.map((version) => {
        const proving = proofs.filter((proof) => proof.formats.has(`${name} ${version}`))
        const engines = proving.map(({ engine }) => engineName(engine))
        return [what, name, `${version}`, engines.join(', ') || 'no fixture: not proven']
      })
    }),
  )
}

async function readProof(engine: string): Promise<Proof> {
  const proof: Proof = { engine, documents: 0, sets: [], lucene: new Set(), formats: new Set() }
  for (const set of (await readdir(new URL(`${engine}/`, fixtures))).sort()) {
    const folder = new URL(`${engine}/${set}/`, fixtures)
    proof.sets.push(set)
    const repository = await openRepository(openBlobStore(new URL('repository', folder).href))
    for (const { name } of repository.snapshots) {
      const lines = await readFile(new URL(`${name}.ndjson`, folder), 'utf8')
      proof.documents += lines.split('\n').filter((line) => line !== '').length
      const snapshot = await repository.openSnapshot(name)
      for (const index of snapshot.indices) {
        const { numberOfShards } = await snapshot.readIndexMetadata(index)
        for (let shard = 0; shard < numberOfShards; shard++) {
          await addShard(proof, await snapshot.openShard(index, shard))
        }
      }
    }
  }
  return proof
}

async function addShard(proof: Proof, files: ShardFiles): Promise<void> {
  await addHeaders(proof, files)
  for (const segment of (await readCommit(files)).segments) {
    const info = await readSegmentInfo(files, segment)
    proof.lucene.add(info.luceneVersion)
    if (!info.compound) continue
    const compound = await openCompound(files, segment)
    await addHeaders(proof, compound)
    await compound.close()
  }
}

async function addHeaders(proof: Proof, directory: Directory): Promise<void> {
  for (const name of directory.names()) {
    if (!/\.(si|cfe|fnm|liv|del|fdt|dvm)$/.test(name)) continue
    const source = await directory.open(name)
    const head = await source.read(0, Math.min(headBytes, source.byteLength))
    await source.close()
    try {
      const { codec, version } = readAnyHeader(new Cursor(name, head))
      proof.formats.add(`${codec} ${version}`)
    } catch {
      // a format before there were headers: it has no row in a table either
    }
  }
}

/** `opensearch-3.6.0` → `OpenSearch 3.6.0` */
function engineName(folder: string): string {
  const [kind, version] = folder.split('-')
  return `${kind === 'opensearch' ? 'OpenSearch' : 'Elasticsearch'} ${version}`
}

function sorted(texts: ReadonlySet<string>): string[] {
  return [...texts].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')]
}
