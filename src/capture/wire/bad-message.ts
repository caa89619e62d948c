/** Bytes that are no HTTP/1.1 message, or one that two readers may understand differently. The connection is lost. */
export class BadMessage extends Error {
  /** What a client gets for it; from the source it is always a 502. */
  readonly status: 400 | 431 | 501 | 505

  constructor(message: string, status: BadMessage['status'] = 400) {
    super(message)
    this.name = 'BadMessage'
    this.status = status
  }
}
