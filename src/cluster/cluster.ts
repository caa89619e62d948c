import type { JsonObject } from '../base/json.ts'
import type { SigV4Options } from './sigv4.ts'

/** Credentials as configured; each secret is `env:NAME` or `file:PATH`, resolved by base/secrets.ts when connecting. */
export type ClusterAuth =
  | { readonly username: string; readonly password: string }
  | { readonly apiKey: string }
  | { readonly bearer: string }
  | { readonly sigv4: SigV4Options }

export interface ClusterTls {
  /** `file:PATH` of PEM. A client certificate needs cert and key. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Only for tests and labs: do not check the server's certificate. */
  readonly insecure?: boolean
}

export interface ClusterOptions {
  /** All of one scheme; a path is kept as a prefix. Where one is unreachable the next is taken. */
  readonly url: readonly string[]
  readonly auth?: ClusterAuth
  readonly tls?: ClusterTls
  /** From sending to the answer's last byte; default 120,000. */
  readonly requestTimeoutMs?: number
  /** Requests under way at once; more wait here. Default 64. */
  readonly socketsMax?: number
}

export type Side = 'source' | 'target'
export type Flavour = 'elasticsearch' | 'opensearch'

export interface EngineVersion {
  readonly flavour: Flavour
  /** As the cluster says it, e.g. `7.10.2`. */
  readonly text: string
  readonly major: number
  readonly minor: number
  readonly patch: number
}

export interface RequestOptions {
  /** Undefined ones are left out. */
  readonly query?: { readonly [name: string]: string | number | boolean | undefined }
  /** JSON is serialised; a Buffer goes as NDJSON. */
  readonly body?: JsonObject | Buffer
  readonly headers?: { readonly [name: string]: string }
  /** Statuses besides 2xx that are returned and not thrown, e.g. [404]; 'any' for callers who classify themselves. */
  readonly accept?: readonly number[] | 'any'
  readonly timeoutMs?: number
  /** It may be sent again although it is no GET: sent twice it does no more than once. */
  readonly repeatable?: boolean
  /** 1: never send again here; for callers with their own loop. Default 6. */
  readonly attemptsMax?: number
  readonly signal?: AbortSignal
}

export interface Answer<T = JsonObject> {
  readonly status: number
  readonly headers: { readonly [name: string]: string | string[] | undefined }
  readonly body: T
}

/** A connected cluster: one keep-alive transport with its auth and TLS, for control calls and for bulk. */
export interface Cluster {
  readonly side: Side
  /** The one in use just now. */
  readonly url: string
  readonly version: EngineVersion
  /**
   * Sends and parses JSON. Throws MA_CLUSTER_* for what is not 2xx or accepted; 403 names the missing permission.
   * GET, HEAD and what is `repeatable` are tried again a few times where the cluster is unreachable or busy; anything
   * else only where the request surely has not arrived.
   */
  request<T = JsonObject>(
    method: string,
    path: string,
    options?: RequestOptions,
  ): Promise<Answer<T>>
  /** As request, but gives the raw bytes of the answer, and asks for no compression of it. */
  requestRaw(method: string, path: string, options?: RequestOptions): Promise<Answer<Buffer>>
  close(): Promise<void>
}
