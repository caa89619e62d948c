// Plain JavaScript for any Node.js from 18 on.
import { spawn } from 'node:child_process'

/**
 * Runs a command in this process's place: same terminal, signals passed on, same exit code or signal.
 * On a terminal Ctrl-C reaches the command by itself, and is not passed on a second time.
 */
export function runAndExit(command, args, env = process.env) {
  const child = spawn(command, args, { stdio: 'inherit', env })
  const onTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !onTerminal) child.kill(signal)
    })
  }
  child.on('error', (error) => {
    console.error(`${command} cannot be run: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
