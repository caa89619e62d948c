import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format } from 'prettier'
import { cliReference, configReference } from '../src/cli/reference.ts'
import { buildProgram } from '../src/cli/program.ts'
import { configJsonSchema } from '../src/migration/config-json-schema.ts'
import { optionTable } from '../src/migration/option-table.ts'
import { captureMetrics } from './capture-metrics.ts'
import { metadataMatrix } from './metadata-matrix.ts'
import { metadataRules } from './metadata-rules.ts'
import { supportMatrix } from './support-matrix.ts'
import { syncMetricsPage } from './sync-metrics.ts'

/** The files that are made from the program, by path in the repository. */
export async function referenceFiles(): Promise<Map<string, string>> {
  const pretty = (text: string, parser: string): Promise<string> =>
    format(text, { parser, printWidth: 100, semi: false, singleQuote: true })
  return new Map([
    ['docs/reference/cli.md', await pretty(cliReference(await buildProgram()), 'markdown')],
    ['docs/reference/config.md', await pretty(configReference(optionTable()), 'markdown')],
    ['docs/reference/support-matrix.md', await pretty(await supportMatrix(), 'markdown')],
    ['docs/reference/metadata-rules.md', await pretty(metadataRules(), 'markdown')],
    ['docs/reference/metadata-matrix.md', await pretty(metadataMatrix(), 'markdown')],
    ['docs/reference/capture-metrics.md', await pretty(captureMetrics(), 'markdown')],
    ['docs/reference/sync-metrics.md', await pretty(syncMetricsPage(), 'markdown')],
    ['migration.schema.json', await pretty(JSON.stringify(configJsonSchema()), 'json')],
  ])
}

const root = new URL('../', import.meta.url)

/** Those of the files that are not as they should be. */
export async function outdatedFiles(): Promise<string[]> {
  const outdated: string[] = []
  for (const [path, text] of await referenceFiles()) {
    const found = await readFile(new URL(path, root), 'utf8').catch(() => undefined)
    if (found !== text) outdated.push(path)
  }
  return outdated
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await referenceFiles()) {
    const file = fileURLToPath(new URL(path, root))
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    console.log(path)
  }
}
