/** Bounds of the data path. Times in milliseconds; none of them is met by a client that behaves. */
export interface ProxyLimits {
  /** Of the head of a request, with its first line; above what engines take, so that they refuse by themselves. */
  readonly requestHeadBytesMax: number
  readonly answerHeadBytesMax: number
  /** Of one request: held to be sent once the source is reached, or sent again. */
  readonly heldBytesMax: number
  /** Of further requests that came before the answer to the one under way. */
  readonly pipelinedBytesMax: number
  /** Of an answer that waits to be released; then the source waits. */
  readonly heldAnswerBytesMax: number
  /** How long the source may be unreachable until clients are told so; 0: at once. */
  readonly sourceWaitMs: number
  /** Of one attempt to connect to the source, TLS included. */
  readonly connectTimeoutMs: number
  /** From the first byte of a head to its last. */
  readonly headTimeoutMs: number
  /** Without a byte of a request's body, or of an answer that the client does not read. */
  readonly stallTimeoutMs: number
  /** Without a request on a connection. */
  readonly idleTimeoutMs: number
  /** How long an answer is awaited for the record when its client is gone. */
  readonly abandonedTimeoutMs: number
  /** From SIGTERM until connections that are still there are cut. */
  readonly drainTimeoutMs: number
  /** Of clients, in one worker. */
  readonly connectionsMax: number
}

export const limitsDefault: ProxyLimits = {
  requestHeadBytesMax: 128 * 1024,
  answerHeadBytesMax: 1024 * 1024,
  heldBytesMax: 64 * 1024,
  pipelinedBytesMax: 64 * 1024,
  heldAnswerBytesMax: 256 * 1024,
  sourceWaitMs: 30_000,
  connectTimeoutMs: 5_000,
  headTimeoutMs: 30_000,
  stallTimeoutMs: 300_000,
  idleTimeoutMs: 3_600_000,
  abandonedTimeoutMs: 120_000,
  drainTimeoutMs: 25_000,
  connectionsMax: 10_000,
}
