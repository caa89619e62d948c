/** docs/reference/metadata-matrix.md: what the matrix of versions has shown (test/system/metadata-matrix.soak.ts). */
import { kindsOfFields } from '../test/support/kinds-of-fields.ts'
import { kindsOfIndices } from '../test/support/kinds-of-indices.ts'
import { kindsOfObjects } from '../test/support/kinds-of-objects.ts'
import { readMatrixRecord, type RecordedRow } from '../test/support/metadata-matrix-record.ts'

const introduction = `# Metadata of every kind, from every version to every version

<!-- Made by scripts/build-reference.ts from test/system/metadata-matrix.json, which the soak of that name writes; do not edit. -->

For each source version that can be started here a cluster with one object of every kind is made (as many as that engine
takes), and carried over by \`osmigrate\` as a person runs it: the plan from the snapshot must be that of the live cluster,
whatever is sent otherwise than the source has it must be announced, all documents are carried over and compared, each index
is searched on both sides, applying twice must change nothing, every template must make an index, and clients write
afterwards. *Equal* and *announced* are what \`osmigrate compare metadata\` says then; *refused* stays behind by name. In
*data streams* are the indices that were carried over once more as parts of data streams. A surprise is anything else.

Targets with \`-knn\` have the plugin k-NN and get vectors alone. To run it: \`MATRIX_RECORD=1 npm run soak --
test/system/metadata-matrix.soak.ts\`.
`

const columns = [
  ...(['source', 'target', 'objects', 'equal', 'announced', 'refused'] as const),
  ...(['documents', 'searched', 'inStreams', 'surprises'] as const),
]
const titles: { readonly [column in keyof RecordedRow]?: string } = {
  documents: 'indices compared',
  searched: 'searches compared',
  inStreams: 'data streams',
}

/** As Markdown; engines by the names that they have for the launcher (src/engines/catalogue.ts). */
export function metadataMatrix(): string {
  const { rows, notMade } = readMatrixRecord()
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
  const sources = Object.entries(notMade).map(([source, names]) => {
    const kinds = kindsFor(source)
    const lacking = new Set(names.split(' '))
    return { source, kinds, made: new Set(kinds.filter((kind) => !lacking.has(kind))) }
  })
  const all = [...new Set(sources.flatMap(({ kinds }) => kinds))].sort()
  const ofElasticsearch = sources.filter(({ source }) => source.startsWith('elasticsearch'))
  const isMadeBy = (kind: string, some: typeof sources): boolean =>
    some.some(({ made }) => made.has(kind))
  const never = all.filter((kind) => !isMadeBy(kind, sources))
  const others = all.filter((kind) => isMadeBy(kind, sources) && !isMadeBy(kind, ofElasticsearch))
  return [
    introduction,
    line(columns.map((column) => titles[column] ?? column)),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((column) => row[column]))),
    '\n## Not proven\n',
    'What a source has not made it has refused: its version has no such thing, or the module for it cannot be had. Of most',
    'modules of x-pack, and of nearly all of Elasticsearch 8 and 9, no archive is published. How many kinds each has made:\n',
    line(['source', 'made', 'not made']),
    line(['---', '---', '---']),
    ...sources.map(({ source, kinds, made }) =>
      line([source, made.size, kinds.length - made.size]),
    ),
    `\nMade by no engine here, so that rules for them rest on their own cases alone: ${never.join(', ')}.`,
    `\nMade by OpenSearch alone: ${others.join(', ')}.`,
  ].join('\n')
}

/** Those that this engine is asked to make. */
function kindsFor(source: string): string[] {
  const indices = [...kindsOfFields, ...kindsOfIndices].filter(
    ({ flavour }) => flavour === undefined || source.startsWith(flavour),
  )
  return [...indices, ...kindsOfObjects].map(({ name }) => name)
}
