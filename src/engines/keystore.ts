/** Secure settings of an engine: its own tool writes them into the keystore of its configuration folder. */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { MigrationError } from '../base/errors.ts'
import type { LaunchOptions } from './launch.ts'

const toolTimeoutMs = 60_000

/** Writes the settings, name → secret. OpenSearch only: the others are not started with any here. */
export async function writeKeystore(
  { home, dir, javaHome, row }: LaunchOptions,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const names = Object.keys(settings)
  if (names.length === 0) return
  const tool = [
    '-XX:TieredStopAtLevel=1',
    `-Dopensearch.path.home=${home}`,
    `-Dopensearch.path.conf=${path.join(dir, 'config')}`,
    '-cp',
    `${home}/lib/*:${home}/lib/tools/keystore-cli/*`,
    'org.opensearch.tools.cli.keystore.KeyStoreCli',
  ]
  const java = path.join(javaHome, 'bin', 'java')
  const what = `the keystore of ${row.kind} ${row.version}`
  await run(java, [...tool, 'create', '--silent'], { what, input: '' })
  const input = Object.values(settings).join('\n') + '\n'
  await run(java, [...tool, 'add', '--stdin', ...names], { what, input })
}

function run(
  command: string,
  args: readonly string[],
  { what, input }: { what: string; input: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: toolTimeoutMs,
    })
    let output = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new MigrationError('MA_ENGINE', `${what} cannot be written: ${output}`))
    })
    // A tool that ends before it has read says why itself.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
