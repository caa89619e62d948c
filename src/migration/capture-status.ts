import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { MigrationError } from '../base/errors.ts'
import type { CaptureStatus } from '../capture/status.ts'
import { readProxyRecord } from '../capture/proxy-record.ts'
import { proxyName } from './capture.ts'
import { adminOptions } from './capture-run.ts'
import type { LoadedConfig } from './config.ts'

const timeoutMs = 10_000

/** Asks the proxy for its status: the one on this machine, else the one at capture.admin.listen. Errors: MA_STATE, MA_SECRET. */
export async function askCaptureStatus(loaded: LoadedConfig): Promise<CaptureStatus> {
  const { host, port, token, tls } = await adminOptions(loaded)
  const record = readProxyRecord(loaded.stateFolder, proxyName(loaded))
  const url =
    record?.admin ??
    `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
  const text = await get(new URL('/status', url), { token, ca: tls?.cert })
  const status = JSON.parse(text) as CaptureStatus
  if (status.format !== 1) {
    throw new MigrationError(
      'MA_FORMAT_TOO_NEW',
      `the proxy at ${url} is of a newer osmigrate than this one: use that program here too`,
    )
  }
  return status
}

function get(url: URL, { token, ca }: { token: string; ca: string | undefined }): Promise<string> {
  const isTls = url.protocol === 'https:'
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void =>
      reject(
        new MigrationError('MA_STATE', `the proxy's admin port ${url.origin} ${why}`, { cause }),
      )
    const request = (isTls ? httpsRequest : httpRequest)(
      url,
      {
        headers: { authorization: `Bearer ${token}` },
        timeout: timeoutMs,
        agent: false,
        ...(ca && { ca }),
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('error', (error) => fail('broke off', error))
        response.on('end', () => {
          if (response.statusCode === 200) resolve(text)
          else if (response.statusCode === 401)
            fail('refuses the token: capture.admin.token is another there')
          else fail(`answers ${response.statusCode}`)
        })
      },
    )
    request.on('timeout', () => request.destroy(new Error('no answer')))
    request.on('error', (error) =>
      fail(
        `does not answer (${error.message}); does a proxy run? osmigrate capture start --detach`,
        error,
      ),
    )
    request.end()
  })
}
