/**
 * One ArrayBuffer that holds compressed input and decompressed output side by side, so that a decoder (this
 * program's, or a WASM kernel later) copies within one memory. Views are replaced when it grows: never keep them
 * across a call that may grow it.
 */
export class Memory {
  bytes: Buffer
  view: DataView

  constructor(byteLength: number) {
    const buffer = new ArrayBuffer(byteLength)
    this.bytes = Buffer.from(buffer)
    this.view = new DataView(buffer)
  }

  get byteLength(): number {
    return this.bytes.length
  }

  /** Makes room for `byteLength` bytes, keeping the first `keep` of those there are. Doubles, so that growth is rare. */
  grow(byteLength: number, keep: number): void {
    if (byteLength <= this.bytes.length) return
    const old = this.bytes
    const buffer = new ArrayBuffer(Math.max(byteLength, Math.ceil(old.length * 1.5)))
    this.bytes = Buffer.from(buffer)
    this.view = new DataView(buffer)
    this.bytes.set(old.subarray(0, keep))
  }
}
