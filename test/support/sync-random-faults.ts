/** What happens to the parts of a live migration while clients write. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startEngine, type Engine, type EngineKind } from '../../src/engines/engine.ts'
import type { TestEngine } from './engines.ts'
import { pause, type LiveMigration } from './sync-live.ts'

export type Fault =
  'kill-proxy' | 'kill-sync' | 'kill-broker' | 'fill-disk' | 'restart-source' | 'restart-target'

/** An engine that is restarted where it is the file's own. */
export interface Restartable {
  readonly engine: TestEngine
  restart(): Promise<void>
}

/** An engine that others use, too. */
export function shared(engine: TestEngine): Restartable {
  const restart = async (): Promise<void> => {
    throw new Error('a shared engine is restarted by nobody')
  }
  return { engine, restart }
}

/** An engine of the file's own, which comes back at its address with its data. */
export class RestartableEngine implements Restartable {
  readonly engine: TestEngine
  readonly #heapMb: number
  #running: Engine

  private constructor(engine: Engine, heapMb: number) {
    const makeRepository = (): { name: string; location: string } => {
      const location = mkdtempSync(path.join(engine.repositoryDir, 'repository-'))
      chmodSync(location, 0o777) // as root the engine is another user
      return { name: path.basename(location), location }
    }
    this.engine = { ...engine, skip: false, makeRepository, stop: () => this.#running.stop() }
    this.#heapMb = heapMb
    this.#running = engine
  }

  /** Call remove() when the file's tests are over. */
  static async start(kind: EngineKind, version: string, heapMb = 512): Promise<RestartableEngine> {
    const dir = mkdtempSync(path.join(tmpdir(), 'osmigrate-sync-random-'))
    return new RestartableEngine(await startEngine({ kind, version, dir, heapMb }), heapMb)
  }

  async restart(): Promise<void> {
    await this.#running.stop()
    await this.start()
  }

  /** As the loss of power does. */
  kill(): void {
    process.kill(this.#running.pid, 'SIGKILL')
  }

  /** After kill(). */
  async start(): Promise<void> {
    await this.#running.stop()
    const { kind, version, dir, port } = this.engine
    const heapMb = this.#heapMb
    const options = { kind, version, dir, port, heapMb, readyTimeoutMs: 180_000 }
    this.#running = await startEngine(options)
  }

  /** With its folder. */
  async remove(): Promise<void> {
    await this.#running.stop()
    rmSync(this.engine.dir, { recursive: true, force: true })
  }
}

/** What can be hurt. */
export interface Hurtable {
  readonly live: LiveMigration
  readonly source: Restartable
  readonly target: Restartable
  /** Of the capture log. */
  readonly broker?: RestartableEngine
  /** A small file system that holds the capture log. */
  readonly disk?: string
}

/** How long a broker is away, or a disk is full, at most. */
const awayMs = 6000

export async function hurt(fault: Fault, what: Hurtable, random: () => number): Promise<void> {
  const { live, source, target, broker, disk } = what
  switch (fault) {
    case 'kill-proxy':
      return live.killProxy()
    case 'kill-sync':
      return live.killSync()
    case 'kill-broker':
      broker!.kill()
      await pause(random, 0, awayMs)
      await broker!.start()
      return live.keepSyncUp()
    case 'fill-disk':
      await fill(disk!, () => pause(random, 500, awayMs))
      return live.keepSyncUp()
    case 'restart-source':
      await source.restart()
      return live.keepSyncUp()
    case 'restart-target':
      await target.restart()
      return live.keepSyncUp()
  }
}

/** Leaves no room on a disk while `during` runs. */
async function fill(disk: string, during: () => Promise<void>): Promise<void> {
  const filler = path.join(disk, 'filler')
  const file = await open(filler, 'w')
  try {
    for (const bytes of [1 << 20, 1 << 12, 1]) await writeUntilFull(file, Buffer.alloc(bytes, 1))
    await during()
  } finally {
    await file.close()
    await rm(filler)
  }
}

async function writeUntilFull(file: FileHandle, piece: Buffer): Promise<void> {
  for (;;) {
    try {
      await file.write(piece)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return
      throw error
    }
  }
}
