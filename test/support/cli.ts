/** The program as a person runs it: a process with arguments, output and an exit code. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../bin/osmigrate.js', import.meta.url))
const timeoutMsDefault = 180_000

export interface CliEnded {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface CliProcess {
  child: ChildProcess
  ended: Promise<CliEnded>
}

/** An empty folder that is gone when the file's tests end. */
export function cliFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-cli-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts a command in a folder, as a person would there. */
export function startOsmigrate(
  place: string | { readonly folder: string; readonly timeoutMs: number },
  ...args: string[]
): CliProcess {
  const { folder, timeoutMs } =
    typeof place === 'string' ? { folder: place, timeoutMs: timeoutMsDefault } : place
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, timeout: timeoutMs })
  const ended = new Promise<CliEnded>((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return { child, ended }
}

/** Templates and pipelines of other tests on the shared source may be seen, and are named: 3. */
export const doneOrNamed: readonly number[] = [0, 3]

/** Runs a command that must end with this code, or with one of these. */
export async function osmigrate(
  folder: string,
  code: number | readonly number[],
  ...args: string[]
): Promise<CliEnded> {
  const ended = await startOsmigrate(folder, ...args).ended
  assert.ok(
    [code].flat().includes(ended.code!),
    `${args.join(' ')}: ${ended.code}: ${ended.stdout}${ended.stderr}`,
  )
  return ended
}

/** Runs a command that must end with this code (or one of these) and print one JSON document. */
export async function osmigrateJson<T>(
  folder: string,
  code: number | readonly number[],
  ...args: string[]
): Promise<T> {
  return JSON.parse((await osmigrate(folder, code, ...args, '--json')).stdout) as T
}

/**
 * `metadata migrate`. It ends with 3 where other tests' templates are in the snapshot, too: sources are shared, and
 * their templates are no index's own.
 */
export async function migrateMetadata(folder: string, ...flags: string[]): Promise<void> {
  const { code, stdout, stderr } = await startOsmigrate(
    folder,
    ...['metadata', 'migrate', '--keep-going', ...flags],
  ).ended
  assert.ok(code === 0 || code === 3, stdout + stderr)
}
