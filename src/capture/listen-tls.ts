import type { Socket } from 'node:net'
import tls from 'node:tls'
import { MigrationError } from '../base/errors.ts'
import { resolveSecret } from '../base/secrets.ts'
import type { ListenTls } from './proxy-settings.ts'

interface ListenMaterial {
  readonly cert: string
  readonly key: string
  readonly ca: string | undefined
}

/**
 * TLS towards clients. HTTP/2 is refused by ALPN: who offers `h2` beside `http/1.1` gets the latter, who offers `h2` alone
 * gets the alert `no_application_protocol`. No engine before Elasticsearch 8 speaks it to clients either.
 */
export class ListenTlsServer {
  readonly #options: ListenTls
  readonly #server: tls.Server

  private constructor(options: ListenTls, server: tls.Server) {
    this.#options = options
    this.#server = server
  }

  /** Errors: MA_SECRET, MA_CONFIG for certificates that cannot be used. */
  static async open(
    options: ListenTls,
    on: { handshakeTimeoutMs: number; secured: (socket: Socket) => void; refused: () => void },
  ): Promise<ListenTlsServer> {
    const material = await readMaterial(options)
    const server = tls.createServer({
      ...material,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: on.handshakeTimeoutMs,
      requestCert: material.ca !== undefined,
      rejectUnauthorized: material.ca !== undefined,
    })
    server.on('secureConnection', (socket) => on.secured(socket))
    server.on('tlsClientError', (_error, socket) => {
      on.refused()
      socket.destroy()
    })
    return new ListenTlsServer(options, server)
  }

  accept(socket: Socket): void {
    this.#server.emit('connection', socket)
  }

  /** Reads the files again; connections made from now on see them. On an error the former ones stay in use. */
  async reload(): Promise<void> {
    this.#server.setSecureContext({ ...(await readMaterial(this.#options)) })
  }
}

/** The files behind references, to be watched. */
export function filesOf(references: readonly (string | undefined)[]): string[] {
  return references.filter((one) => one?.startsWith('file:') === true).map((one) => one!.slice(5))
}

async function readMaterial({ cert, key, clientCa }: ListenTls): Promise<ListenMaterial> {
  const material = {
    cert: await resolveSecret(cert, 'capture.tls.cert'),
    key: await resolveSecret(key, 'capture.tls.key'),
    ca: clientCa === undefined ? undefined : await resolveSecret(clientCa, 'capture.tls.clientCa'),
  }
  try {
    tls.createSecureContext(material)
  } catch (error) {
    throw new MigrationError(
      'MA_CONFIG',
      `capture.tls: certificate and key cannot be used (${(error as Error).message}); both must be PEM and belong ` +
        'together, the key without a passphrase',
      { cause: error },
    )
  }
  return material
}
