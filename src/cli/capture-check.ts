import { MigrationError } from '../base/errors.ts'
import { duration } from '../base/option-types.ts'
import { checkCaptureSetUp, type CheckFinding } from '../migration/capture-check.ts'
import { withMigration } from '../migration/migration.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { printJson, printLine, printTable, printable } from './output.ts'

export async function checkCapture(invocation: Invocation): Promise<ExitCode> {
  const compareMs = timeOf(invocation.options.for)
  const { json } = invocation
  const loaded = await invocation.loadConfig()
  const check = await withMigration(loaded, invocation.signal, (migration) =>
    checkCaptureSetUp(migration, {
      compareMs,
      onFinding: (finding) => {
        if (!json) printLine(`${markOf(finding)} ${printable(finding.text)}`)
      },
    }),
  )
  const isWell = check.findings.every((one) => one.isWell)
  if (json) printJson({ ...check, isWell })
  else if (check.indices.length > 0) {
    printLine()
    printTable(
      ['index', 'written at the source', 'in the log'],
      check.indices.map(({ index, counted, seen }) => [index, counted, seen]),
    )
  }
  if (isWell) return exitCodes.done
  const isIll = check.findings.some((one) => !one.isWell && one.isOpen !== true)
  return isIll ? exitCodes.differs : exitCodes.unfinished
}

function markOf({ isWell, isOpen }: CheckFinding): string {
  if (isOpen === true) return '·'
  return isWell ? '✓' : '✗'
}

function timeOf(text: unknown): number {
  const parsed = duration({ minMs: 1000 }).safeParse(text)
  if (parsed.success) return parsed.data
  throw new MigrationError('MA_CONFIG', `--for: ${parsed.error.issues[0]!.message}`)
}
