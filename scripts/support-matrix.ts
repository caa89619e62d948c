/**
 * docs/reference/support-matrix.md: what is read, by the tables in the source, and which fixture proves it. A fixture
 * proves what is in its files: the tests read it whole and compare every document with what its engine said.
 */
import { readdir, readFile } from 'node:fs/promises'
import type { Directory } from '../src/blob/byte-source.ts'
import { openBlobStore } from '../src/blob/open.ts'
import { readAnyHeader, type Header } from '../src/bytes/codec.ts'
import { Cursor } from '../src/bytes/cursor.ts'
import { commitFormat, readCommit } from '../src/lucene/commit.ts'
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
import { readFieldInfos, type FieldInfos } from '../src/lucene/field-infos.ts'
import { segmentFileName } from '../src/lucene/files.ts'
import { numericFields, softDeletesField } from '../src/lucene/segment.ts'
import { docValuesSuffix } from '../src/lucene/segment-doc-values.ts'
import { readSegmentInfo } from '../src/lucene/segment-info.ts'
import { openRepository } from '../src/snapshot/repository.ts'
import type { ShardFiles } from '../src/snapshot/snapshot.ts'

const fixtures = new URL('../test/fixtures/', import.meta.url)
const mixedSet = 'mixed'
const openSearchBit = 0x08000000
/** Of doc values nothing else is read. */
const neededFields = [...Object.values(numericFields), softDeletesField]
const firstIndexVersion = 8_500_000
/** The longest header of a file. */
const headBytes = 256

const tables: readonly (readonly [string, ReadonlyMap<string, FormatRow>])[] = [
  ['commit (segments_N)', new Map([[commitFormat.codec, commitFormat]])],
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
  /** Formats of doc values that have no row. */
  readonly unread: Set<string>
  /** Engines that made indices which this one holds. */
  readonly createdBy: Set<string>
}

/** Of the fixtures those that engines made; there are others. */
const engineFolder = /^(elasticsearch|opensearch)-\d/

/** The page, in Markdown. */
export async function supportMatrix(): Promise<string> {
  const proofs: Proof[] = []
  for (const entry of await readdir(fixtures, { withFileTypes: true })) {
    if (engineFolder.test(entry.name)) proofs.push(await readProof(entry.name))
  }
  proofs.sort((a, b) => a.engine.localeCompare(b.engine, 'en', { numeric: true }))
  return [
    '# What is read, and what proves it',
    'Made by `node scripts/build-reference.ts` from the tables in src/lucene/formats.ts and from the files in ' +
      'test/fixtures. Each fixture is a snapshot repository that the engine named in the first column made, and the ' +
      'answers of that engine; the tests read it whole and compare every document. Nothing else is claimed.',
    '## Snapshots',
    ...table(
      [
        'made by',
        'with indices made by',
        'segments written by Lucene',
        'documents compared',
        'fixtures',
      ],
      proofs.map(({ engine, createdBy, lucene, documents, sets }) => [
        engineName(engine),
        sorted(createdBy)
          .filter((name) => !`${engineName(engine)}.`.startsWith(`${name}.`))
          .join(', '),
        sorted(lucene).join(', '),
        `${documents}`,
        sets.map((set) => `${engine}/${set}`).join(', '),
      ]),
    ),
    '## Formats of files in a shard',
    'Formats that are not in this list concern postings, points, norms, vectors and the like, and are not read.',
    ...table(['file', 'format', 'version', 'proven by'], formatRows(proofs)),
    '## Doc values that are not needed',
    'Of doc values only the fields `_seq_no`, `_version` and `__soft_deletes` are read. The fixtures also hold these ' +
      'formats, which their engines use for other fields; an index that has them is read all the same.',
    ...table(['format', 'proven by'], unreadRows(proofs)),
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
        return [what, name, `${version}`, engines.join(', ') || 'not proven on an engine']
      })
    }),
  )
}

function unreadRows(proofs: readonly Proof[]): string[][] {
  const names = sorted(new Set(proofs.flatMap(({ unread }) => [...unread])))
  return names.map((name) => {
    const proving = proofs.filter(({ unread }) => unread.has(name))
    return [name, proving.map(({ engine }) => engineName(engine)).join(', ')]
  })
}

async function readProof(engine: string): Promise<Proof> {
  const proof: Proof = {
    engine,
    documents: 0,
    sets: [],
    lucene: new Set(),
    formats: new Set(),
    unread: new Set(),
    createdBy: new Set(),
  }
  for (const set of (await readdir(new URL(`${engine}/`, fixtures))).sort()) {
    const folder = new URL(`${engine}/${set}/`, fixtures)
    proof.sets.push(set)
    const repository = await openRepository(openBlobStore(new URL('repository', folder).href))
    for (const { name } of repository.snapshots) {
      const lines = await readFile(new URL(`${name}.ndjson`, folder), 'utf8')
      proof.documents += lines.split('\n').filter((line) => line !== '').length
      // Several engines wrote to it, so that it proves nothing of this one.
      if (set === mixedSet) continue
      const snapshot = await repository.openSnapshot(name)
      for (const index of snapshot.indices) {
        const { numberOfShards, createdVersion } = await snapshot.readIndexMetadata(index)
        proof.createdBy.add(createdBy(createdVersion))
        for (let shard = 0; shard < numberOfShards; shard++) {
          const isMissing = snapshot.shardFailures.some(
            (failure) => failure.index === index && failure.shard === shard,
          )
          if (isMissing) continue
          await addShard(proof, await snapshot.openShard(index, shard))
        }
      }
    }
  }
  return proof
}

async function addShard(proof: Proof, files: ShardFiles): Promise<void> {
  const { segments } = await readCommit(files)
  const read = new Set<string>()
  for (const segment of segments) {
    const info = await readSegmentInfo(files, segment)
    proof.lucene.add(info.luceneVersion)
    const compound = info.compound ? await openCompound(files, segment) : undefined
    const own = compound ?? files
    const infos = segment.fieldInfosGen < 0 ? own : files
    const fields = await readFieldInfos(infos, segment, segment.fieldInfosGen)
    for (const name of neededDocValues(segment.name, fields)) read.add(name)
    if (compound === undefined) continue
    await addHeaders(proof, compound, read)
    await compound.close()
  }
  await addHeaders(proof, files, read)
}

/** Names of the `.dvm` that documents are read from. */
function neededDocValues(segment: string, fields: FieldInfos): string[] {
  return neededFields.flatMap((name) => {
    const field = fields.get(name)
    if (field === undefined || !field.numericDocValues) return []
    return [segmentFileName(segment, docValuesSuffix(field), 'dvm')]
  })
}

/** `read`: the files with doc values of fields that are read. */
async function addHeaders(
  proof: Proof,
  directory: Directory,
  read: ReadonlySet<string>,
): Promise<void> {
  for (const name of directory.names()) {
    if (!/^segments_|\.(si|cfe|fnm|liv|del|fdt|dvm)$/.test(name)) continue
    const source = await directory.open(name)
    const head = await source.read(0, Math.min(headBytes, source.byteLength))
    await source.close()
    let header: Header
    try {
      header = readAnyHeader(new Cursor(name, head))
    } catch {
      continue // a format before there were headers: it has no row in a table either
    }
    const { codec, version } = header
    if (!name.endsWith('.dvm') || read.has(name)) proof.formats.add(`${codec} ${version}`)
    else if (!docValuesFormats.has(codec)) proof.unread.add(codec)
  }
}

/**
 * The engine of a version number such as 7100299 or, of OpenSearch, 136217927; since 8.9 Elasticsearch counts the
 * versions of its indices by themselves, from 8500000 on.
 */
function createdBy(version: number): string {
  if (version >= openSearchBit) return `OpenSearch ${dotted(version - openSearchBit)}`
  const ofEngine = version < firstIndexVersion
  return `Elasticsearch ${ofEngine ? dotted(version) : Math.trunc(version / 1_000_000)}`
}

function dotted(version: number): string {
  const parts = [version / 1_000_000, (version / 10_000) % 100, (version / 100) % 100]
  return parts.map(Math.trunc).join('.')
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
