/** The contract of a capture log, with a reader that reads it over the admin port. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { testCaptureLogStore } from '../../test/support/capture-log-contract.ts'
import { openLocalLogReader } from '../traffic/local-log-reader.ts'
import { openLocalLog } from '../traffic/local-log.ts'
import { openRemoteLog } from '../traffic/remote-log.ts'
import { AdminServer } from './admin-server.ts'
import type { CaptureStatus } from './status.ts'

const token = 'a-token-of-thirty-two-characters'

testCaptureLogStore('log over the admin port', async () => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-remote-'))
  const log = openLocalLogReader(root)
  const handlers = {
    ...{ stop: () => {}, drain: () => {}, reload: async () => {} },
    ...{ health: () => ({ status: 'ok' as const }), metrics: () => '', log },
    status: () => ({}) as CaptureStatus,
  }
  const admin = await AdminServer.open({ host: '127.0.0.1', port: 0, token }, handlers)
  const url = `http://127.0.0.1:${admin.address.port}`
  const folder = path.join(root, 'p1')
  return {
    openWriter: () => openLocalLog({ folder, stream: 'p1', bytesMax: 1e9 }),
    openReader: async () => openRemoteLog({ url, token }),
    remove: async () => {
      await admin.close()
      await rm(root, { recursive: true, force: true })
    },
  }
})
