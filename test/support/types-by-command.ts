/** A migration of an index with two mapping types, as a person has it: a folder with its migration.yaml. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeSnapshot } from './backfill.ts'
import { cliFolder } from './cli.ts'
import { send, uniqueName, type TestEngine } from './engines.ts'
import { connect } from './metadata.ts'
import { makeTwins } from './older-types.ts'

export interface TwinsOnDisk {
  readonly index: string
  /** A folder for other options of `metadata`; each is a migration of its own. */
  readonly configured: (metadata: string, transform?: string) => Promise<string>
}

/** 60 orders and 50 invoices with ids of each other, and one order with a field `kind` that no mapping knows. */
export async function twinsWithOdd(source: TestEngine, target: TestEngine): Promise<TwinsOnDisk> {
  const index = uniqueName('cli')
  await makeTwins(source, index, 2)
  const odd = { index: { _index: index, _type: 'order', _id: 'odd' } }
  const lines = [odd, { kind: 'there already' }].map((line) => `${JSON.stringify(line)}\n`)
  await send(source, 'POST', '/_bulk?refresh=true', lines.join(''))
  const cluster = await connect('source', source)
  const { repository, snapshot } = await makeSnapshot({ cluster, engine: source }, [index])
  const configured = async (metadata: string, transform = ''): Promise<string> => {
    const folder = cliFolder()
    const yaml = `version: 1
name: ${uniqueName('types')}
target: { url: ${target.url} }
select: { include: ['${index}'] }
snapshot: { repository: ${repository}, name: ${snapshot.name} }
metadata: { templates: false, pipelines: false, ${metadata} }
${transform}
`
    await writeFile(join(folder, 'migration.yaml'), yaml)
    return folder
  }
  return { index, configured }
}
