import type { MigrationError } from '../base/errors.ts'
import { findImportTarget, findLog } from '../migration/capture-log.ts'
import { exportLog } from '../traffic/export-write.ts'
import { readExport } from '../traffic/export-read.ts'
import { importLog } from '../traffic/import.ts'
import { knownEntries } from '../traffic/import-known.ts'
import { parseWindow } from './capture-log-filter.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { formatBytes, formatNumber, printJson, printLine } from './output.ts'
import { Progress, say } from './progress.ts'

/** Writes a capture log to a file; exit code 3 when damage was passed over. */
export async function exportCommand(invocation: Invocation): Promise<ExitCode> {
  const { options, args, json, signal } = invocation
  const file = args[0]!
  let damaged = 0
  const onDamage = (damage: MigrationError): void => {
    damaged++
    say(damage.message)
  }
  const { reader, place } = await findLog({
    path: options.from as string | undefined,
    onDamage: options.skipDamage === true ? onDamage : undefined,
    loadConfig: () => invocation.loadConfig(),
  })
  const progress = new Progress()
  try {
    const done = await exportLog({
      ...{ reader, file, window: parseWindow(options), signal },
      onProgress: ({ records, bytes }) =>
        progress.update([{ label: 'records', done: records, note: formatBytes(bytes) }]),
    })
    progress.end()
    const checksum = checksumText(done.checksum)
    if (json) printJson({ ...done, file, from: place, checksum, damaged })
    else {
      const { records, bytes } = done
      printLine(`${file}: ${amount(records, bytes)}, checksum ${checksum}`)
    }
    return damaged > 0 ? exitCodes.differs : exitCodes.done
  } finally {
    progress.end()
    await reader.close()
  }
}

export async function importCommand(invocation: Invocation): Promise<ExitCode> {
  const { options, args, json, signal } = invocation
  const file = args[0]!
  const { target, place } = await findImportTarget(options.to as string | undefined, () =>
    invocation.loadConfig(),
  )
  const progress = new Progress()
  const entries = options.format === 'known' ? knownEntries(file) : readExport(file)
  try {
    const done = await importLog({
      ...{ entries, target, signal },
      onProgress: ({ records }) => progress.update([{ label: 'records', done: records }]),
    })
    progress.end()
    const checksum = checksumText(done.checksum)
    if (json) printJson({ ...done, file, to: place, checksum })
    else {
      const { records, bytes, skipped } = done
      const there = skipped > 0 ? `; ${formatNumber(skipped)} were there already` : ''
      printLine(`${place}: ${amount(records, bytes)}, checksum ${checksum}${there}`)
    }
    return exitCodes.done
  } finally {
    progress.end()
  }
}

function amount(records: number, bytes: number): string {
  return `${formatNumber(records)} records, ${formatBytes(bytes)}`
}

function checksumText(checksum: number): string {
  return checksum.toString(16).padStart(8, '0')
}
