/** A web server that serves a folder with range requests, as nginx does: for repositories at http(s)://. */
import { once } from 'node:events'
import { createReadStream, statSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export interface FileServer {
  readonly url: string
  readonly port: number
  readonly requests: string[]
  /** Bytes of files that were asked for, by path. */
  readonly asked: Map<string, number>
  close(): Promise<void>
}

export interface FileServerOptions {
  /** False: it answers ranges with the whole file. */
  readonly ranges?: boolean
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
}

export async function startFileServer(
  folder: string,
  { ranges = true, tls }: FileServerOptions = {},
): Promise<FileServer> {
  const requests: string[] = []
  const asked = new Map<string, number>()
  const serve = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    requests.push(`${request.method} ${request.url}`)
    const path = join(folder, decodeURIComponent(new URL(request.url!, 'http://x').pathname))
    const found = statSync(path, { throwIfNoEntry: false })
    if (!found?.isFile()) {
      response.writeHead(404).end('not found')
      return
    }
    const { size } = found
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    if (!ranges || range === null) {
      response.writeHead(200, { 'content-length': size })
      createReadStream(path).pipe(response)
      return
    }
    const start = Number(range[1])
    const end = Math.min(Number(range[2]), size - 1)
    if (start >= size) {
      response.writeHead(416, { 'content-range': `bytes */${size}` }).end()
      return
    }
    asked.set(request.url!, (asked.get(request.url!) ?? 0) + end - start + 1)
    const headers = {
      'content-range': `bytes ${start}-${end}/${size}`,
      'content-length': end - start + 1,
    }
    response.writeHead(206, headers)
    createReadStream(path, { start, end }).pipe(response)
  }
  const server = tls === undefined ? http.createServer(serve) : https.createServer(tls, serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    requests,
    asked,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
