import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startGuarded } from './guarded-process.ts'
import type { WatchdogOrder } from './watchdog.ts'

const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-guarded-'))
after(() => rm(folder, { recursive: true }))

function order(script: string, more: Partial<WatchdogOrder> = {}): WatchdogOrder {
  return {
    command: '/bin/sh',
    args: ['-c', script],
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '' },
    logFile: path.join(folder, 'log'),
    graceMs: 5_000,
    remove: [],
    ...more,
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The end of a process that is nobody's child here gives no event: it is asked for, with a bound. */
async function untilGone(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (!isAlive(pid)) return
    await wait(50)
  }
  assert.fail(`process ${pid} is still there`)
}

test('stop() ends the process and what it has started, and removes its folder', async () => {
  const mine = path.join(folder, 'mine')
  await mkdir(mine)
  const logFile = path.join(folder, 'children')
  const script = 'sleep 1000 & echo $!; wait'
  const guarded = await startGuarded(order(script, { remove: [mine], logFile }))
  const childPid = await untilLogged(logFile)
  await guarded.stop()
  assert.equal(guarded.ended(), 'SIGTERM')
  assert.ok(!isAlive(guarded.pid))
  await untilGone(childPid)
  await assert.rejects(access(mine))
  await guarded.stop() // a second time is no error
})

test('stop() ends by force what does not end by itself', async () => {
  const logFile = path.join(folder, 'stubborn')
  const script = 'trap "" TERM; echo $$; while true; do sleep 1; done'
  const guarded = await startGuarded(order(script, { graceMs: 200, logFile }))
  await untilLogged(logFile)
  await guarded.stop()
  assert.equal(guarded.ended(), 'SIGKILL')
})

test('ended() says how a process has ended by itself', async () => {
  const guarded = await startGuarded(order('exit 3'))
  await guarded.stop()
  assert.match(guarded.ended()!, /exit code 3|SIGTERM/)
})

test('a command that does not exist is an error that names it', async () => {
  const missing = path.join(folder, 'no-such-java')
  await assert.rejects(startGuarded(order('', { command: missing })), /no-such-java/)
})

test('nothing outlives a program that is killed by SIGKILL', async () => {
  const mine = path.join(folder, 'of-the-killed')
  await mkdir(mine)
  const program = path.join(folder, 'program.mjs')
  const module = new URL('./guarded-process.ts', import.meta.url).href
  const wanted = JSON.stringify(order('sleep 1000', { remove: [mine] }))
  await writeFile(
    program,
    `import { startGuarded } from ${JSON.stringify(module)}
     console.log((await startGuarded(${wanted})).pid)
     setInterval(() => {}, 1000)`,
  )
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const pid = Number(line)
  assert.ok(isAlive(pid))
  child.kill('SIGKILL')
  await untilGone(pid)
  for (let attempt = 0; attempt < 100 && (await exists(mine)); attempt++) await wait(50)
  assert.ok(!(await exists(mine)), 'its folder is removed')
})

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

async function untilLogged(logFile: string): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const text = await readFile(logFile, 'utf8').catch(() => '')
    if (text.endsWith('\n')) return Number(text)
    await wait(50)
  }
  return assert.fail(`nothing was written to ${logFile}`)
}
