import type { ClusterTls } from '../cluster/cluster.ts'
import type { ProxyLimits } from './limits.ts'

/** Certificates for clients, each `file:PATH` or `env:NAME` of PEM; files are read again when they change. */
export interface ListenTls {
  /** The certificate with those that lead to its authority, and its key. */
  readonly cert: string
  readonly key: string
  /** Authorities of client certificates; with it every client must have one. */
  readonly clientCa?: string
}

/** What all workers of a proxy are told; plain data, since it goes to other processes. Secrets stay references. */
export interface ProxySettings {
  /** Where clients come in; a port of 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number }
  /** Of the source; taken in turns by new connections. No path behind them. */
  readonly sourceUrls: readonly string[]
  readonly sourceTls?: ClusterTls
  readonly tls?: ListenTls
  /** Processes that serve clients. */
  readonly workers: number
  /** Where they are not to be the usual ones. */
  readonly limits?: Partial<ProxyLimits>
  /** Tell the source by X-Forwarded-For and X-Forwarded-Proto whose requests these are. Default true. */
  readonly forwardedHeaders?: boolean
  /** Fields that each request to the source carries in the place of the client's, e.g. `{ Host: 'es.internal' }`. */
  readonly setHeaders?: { readonly [name: string]: string }
  /**
   * Answer to clients that ask for the nodes of the source with the proxy's address, so that they stay behind it: `true`
   * is the address that the client itself used (its Host field), a text is a fixed `host:port`. Default false.
   */
  readonly rewriteAddresses?: boolean | string
}
