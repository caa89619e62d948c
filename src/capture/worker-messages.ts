import type { ProxySettings } from './proxy-settings.ts'

/** From the supervisor to a worker; a `connection` comes with its socket. */
export type ToProxyWorker =
  | {
      readonly kind: 'start'
      readonly worker: number
      /** One of this number has served before. */
      readonly isRestart: boolean
      readonly settings: ProxySettings
      /** For what records, not looked at here. */
      readonly recording: unknown
    }
  | { readonly kind: 'connection'; readonly id: number }
  /** Certificates are read again. */
  | { readonly kind: 'reload' }
  | { readonly kind: 'drain' }

export type FromProxyWorker =
  | { readonly kind: 'ready' }
  /** The connection of that id is the worker's now. */
  | { readonly kind: 'accepted'; readonly id: number }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string }
  | { readonly kind: 'status'; readonly status: WorkerStatus }
  | { readonly kind: 'warning'; readonly message: string }

/** Sent about once a second. */
export interface WorkerStatus {
  readonly connections: number
  /** Figures of the worker, by their places (metrics.ts). */
  readonly metrics: Float64Array
  /** Of what records, not looked at here. */
  readonly recording: unknown
}
