import type { Random } from './mutations.ts'

/** One good input of a decoder, and how it is made hostile. */
export interface Sample {
  readonly name: string
  readonly bytes: Uint8Array
  /**
   * Bytes that justify memory and work, where that is more than `bytes`: all files that are read together. Default:
   * the length of what is decoded.
   */
  readonly inputBytes?: number
  /** True: what is told about the bytes is random too, so that they may be refused untouched. */
  readonly wild?: boolean
  /** In the place of the target's. */
  readonly bytesPerByte?: number
  /** A hostile form of `bytes`, its checksums made right again: so that it is the decoders that meet it. */
  vary(random: Random): Uint8Array
  /**
   * Decodes and checks what came out of it, by assertions; a MigrationError is as good. What is returned must be equal
   * for equal results.
   */
  decode(bytes: Uint8Array): unknown
  /** True: a checksum is over all of `bytes`, so that other bytes give an error or what the untouched ones give. */
  readonly guarded?: boolean
}

/** A decoder, or several that stand in one row. */
export interface Target {
  readonly name: string
  samples(): Promise<readonly Sample[]>
  /** Turns of loops and calls for each byte of the input. */
  readonly workPerByte?: number
  /** Bytes allocated for each byte of the input: as far as its compression can expand, some times over. */
  readonly bytesPerByte?: number
}
