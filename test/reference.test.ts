import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outdatedFiles } from '../scripts/build-reference.ts'
import { buildProgram } from '../src/cli/program.ts'
import { visibleCommands } from '../src/cli/command-tree.ts'
import { optionTable } from '../src/migration/option-table.ts'

test('docs/reference and migration.schema.json are what the program says (node scripts/build-reference.ts)', async () => {
  assert.deepEqual(await outdatedFiles(), [])
})

test('every option but secrets has a flag, secrets have none, and no flag is given twice', () => {
  const rows = optionTable()
  const wrong = rows.filter((row) => (row.flag === undefined) !== (row.secret === true))
  assert.deepEqual(
    wrong.map((row) => row.path.join('.')),
    [],
  )
  const flags = rows.map((row) => row.flag).filter((flag) => flag !== undefined)
  assert.deepEqual(flags, [...new Set(flags)])
})

test('every command that does something explains itself with an example', async () => {
  for (const { path, command } of visibleCommands(await buildProgram())) {
    assert.notEqual(command.description(), '', path)
    if (command.commands.length > 0) continue
    let help = ''
    command.configureOutput({ writeOut: (text) => (help += text) })
    command.outputHelp()
    assert.match(help, new RegExp(`Examples:\\n.*${path}`), path)
  }
})
