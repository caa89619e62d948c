import { readFileSync } from 'node:fs'

/**
 * Entry of the program. Only what the given command needs is loaded, so that `osmigrate --version` and completion
 * answer at once. Sets process.exitCode and lets
 * Node.js end by itself, so that no output is lost.
 */
export async function main(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    process.stdout.write(`${packageVersion()}\n`)
    return
  }
  const { runProgram } = await import('./program.ts')
  await runProgram(args)
}

/** The version in package.json, which lies beside src/ and dist/ alike. */
export function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
