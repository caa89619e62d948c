/**
 * Makes test/fixtures from real engines: `node scripts/make-fixtures.ts [engine-version | engine-version/set …]`.
 *
 *     test/fixtures/<engine>-<version>/<set>/repository/        a snapshot repository
 *     test/fixtures/<engine>-<version>/<set>/<snapshot>.ndjson  what the live engine held at that moment
 *
 * Fixtures made again differ in UUIDs and times, and in nothing that a reader gives.
 */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { engineCatalogue } from '../src/engines/catalogue.ts'
import { stopAllEngines } from '../src/engines/engine.ts'
import { makeFormats, makeUpgraded } from './fixtures/formats.ts'
import { makeAwkward } from './fixtures/awkward.ts'
import { makeHistory } from './fixtures/history.ts'
import { fixtures } from './fixtures/keep.ts'
import { makeMixed } from './fixtures/mixed.ts'
import { makePartial } from './fixtures/partial.ts'
import { makeSearchable, makeShallow, makeSourceOnly } from './fixtures/refused.ts'
import { makeReduced } from './fixtures/reduced.ts'
import { makeElasticsearch6, makeElasticsearch7, makeNewer, makeOlder } from './fixtures/samples.ts'

/** Makes some sets of one engine's folder. */
interface Maker {
  readonly folder: string
  readonly sets: readonly string[]
  readonly make: () => Promise<void>
}

const compressed = ['compressed']
const older = ['compressed', 'uncompressed']

/** The engines whose awkward sets are kept. */
const allFolders = [
  'elasticsearch-1.7.5',
  'elasticsearch-2.4.6',
  'elasticsearch-6.8.23',
  'elasticsearch-7.10.2',
  'elasticsearch-8.19.0',
  'elasticsearch-9.2.0',
  'opensearch-2.19.4',
  'opensearch-3.6.0',
]

/** Engines that wrote to one repository, one after the other. */
const upgrades = [
  ['elasticsearch-1.7.5', 'elasticsearch-2.4.6'],
  ['elasticsearch-2.4.6', 'elasticsearch-5.6.16'],
  ['elasticsearch-5.6.16', 'elasticsearch-6.8.23', 'elasticsearch-7.10.2'],
  ['elasticsearch-7.10.2', 'elasticsearch-8.19.0', 'elasticsearch-9.2.0'],
  ['elasticsearch-7.10.2', 'opensearch-1.3.20', 'opensearch-2.19.4'],
  ['opensearch-2.19.4', 'opensearch-3.6.0'],
]

const makers: readonly Maker[] = [
  {
    folder: 'elasticsearch-7.10.2',
    sets: ['compressed', 'uncompressed', 'reduced'],
    make: makeElasticsearch7,
  },
  { folder: 'elasticsearch-6.8.23', sets: compressed, make: makeElasticsearch6 },
  ...newer('elasticsearch-7.17.28', 'elasticsearch-7.10.2'),
  ...newer('opensearch-1.3.20', 'elasticsearch-7.10.2'),
  ...newer('opensearch-2.19.4', 'elasticsearch-7.10.2'),
  ...newer('opensearch-3.6.0', 'opensearch-2.19.4'),
  ...newer('elasticsearch-8.19.0', 'elasticsearch-7.10.2'),
  ...newer('elasticsearch-9.2.0', 'elasticsearch-8.19.0'),
  ...['6.2.4', '5.6.16', '1.7.5', '2.4.6'].map((version): Maker => {
    return { folder: `elasticsearch-${version}`, sets: older, make: () => makeOlder(version) }
  }),
  {
    folder: 'elasticsearch-7.17.28',
    sets: ['upgraded'],
    make: () => makeUpgraded('elasticsearch-7.17.28', 'elasticsearch-6.8.23'),
  },
  ...engineCatalogue
    .filter(({ forFixtures }) => forFixtures)
    .map(({ kind, version }): Maker => {
      const folder = `${kind}-${version}`
      return { folder, sets: ['formats'], make: () => makeFormats(folder) }
    }),
  // Not below test/fixtures: these are refused by name, and lie in test/refused.
  {
    folder: 'elasticsearch-8.19.0',
    sets: ['source-only'],
    make: () => makeSourceOnly('elasticsearch-8.19.0'),
  },
  { folder: 'opensearch-3.6.0', sets: ['searchable'], make: () => makeSearchable('3.6.0') },
  { folder: 'opensearch-3.6.0', sets: ['shallow'], make: () => makeShallow('3.6.0') },
  ...allFolders.flatMap((folder): Maker[] => [
    { folder, sets: ['awkward'], make: () => makeAwkward(folder) },
    { folder, sets: ['history'], make: () => makeHistory(folder) },
    { folder, sets: ['partial'], make: () => makePartial(folder) },
    ...(folder === 'elasticsearch-7.10.2'
      ? []
      : [{ folder, sets: ['reduced'], make: () => makeReduced(folder) }]),
  ]),
  ...upgrades.map((engines): Maker => {
    return { folder: engines.at(-1)!, sets: ['mixed'], make: () => makeMixed(engines) }
  }),
]

function newer(folder: string, before: string): Maker[] {
  return [{ folder, sets: compressed, make: () => makeNewer(folder, before) }]
}

function wanted(names: readonly string[]): readonly Maker[] {
  if (names.length === 0) return makers
  return names.flatMap((name) => {
    const found = makers.filter(
      ({ folder, sets }) => folder === name || sets.some((set) => `${folder}/${set}` === name),
    )
    if (found.length > 0) return found
    const known = makers.flatMap(({ folder, sets }) => sets.map((set) => `${folder}/${set}`))
    throw new Error(`no fixture ${name}; there are ${known.join(', ')}`)
  })
}

try {
  for (const { folder, sets, make } of wanted(process.argv.slice(2))) {
    for (const set of sets)
      await rm(path.join(fixtures, folder, set), { recursive: true, force: true })
    await make()
    console.log(`${folder} made: ${sets.join(', ')}`)
  }
} finally {
  await stopAllEngines()
}
