import type { Command } from 'commander'
import { existsSync } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import { defaultConfigFile, loadConfig } from '../migration/config.ts'
import { initFile } from '../migration/init-file.ts'
import { addExamples, defineAction, type Invocation } from './command.ts'
import { printJson, printLine } from './output.ts'

export function defineInit(command: Command): void {
  command
    .description(
      'Writes a commented migration.yaml, and beside it migration.schema.json, with which editors check and complete it.',
    )
    .option('--source-url <URL>', 'address of the source cluster')
    .option('--target-url <URL>', 'address of the target cluster')
    .option('--repository <LOC>', 'where the snapshot repository is')
    .option('--force', 'write over a file that is there')
  addExamples(command, [
    ['osmigrate init', ''],
    ['osmigrate init --source-url http://es:9200 --target-url https://os:9200', ''],
    ['osmigrate init --config shop.yaml --name shop', 'one file per migration'],
  ])
  defineAction(command, init)
}

async function init({ options, json }: Invocation): Promise<void> {
  const file = resolve(text(options.config) ?? defaultConfigFile)
  if (existsSync(file) && options.force !== true) {
    throw new MigrationError(
      'MA_CONFIG',
      `${file} is there already\nName another with --config FILE, or write over it with --force.`,
    )
  }
  const name = text(options.name)
  const sourceUrl = text(options.sourceUrl)
  const targetUrl = text(options.targetUrl)
  const repository = text(options.repository)
  const content = initFile({
    ...(name !== undefined && { name }),
    ...(sourceUrl !== undefined && { sourceUrl: [sourceUrl] }),
    ...(targetUrl !== undefined && { targetUrl: [targetUrl] }),
    ...(repository !== undefined && { repository }),
  })
  await writeFile(file, content)
  const schema = join(dirname(file), 'migration.schema.json')
  await copyFile(new URL('../../migration.schema.json', import.meta.url), schema)
  // What was given on the command line is checked like any other file.
  await loadConfig({ file })
  if (json) return printJson({ file, schema })
  printLine(`${file} written. Edit it, then:`)
  printLine('  osmigrate metadata evaluate')
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
