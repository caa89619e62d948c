/**
 * A record of the capture log, as bytes. Specified in docs/formats/capture-log.md; numbers are big-endian.
 *
 *   frame    = checksum:uint32 length:uint32 content
 *   content  = kind:byte version:byte fields        ; `length` is its bytes, 2 to 2^29
 *   checksum = CRC-32 (ISO 3309) of length and content
 *
 *   request  = exchange connection:vlong flags:byte method:string target:string headers
 *              firstByteAt:int64 lastByteAt:int64 bodyBytes:vlong body     ; flag 1: may write
 *   response = exchange status:vint headers firstByteAt:int64 lastByteAt:int64 bodyBytes:vlong body
 *   thin     = exchange status:vint lastByteAt:int64 count:vint item*
 *   item     = flags:byte index:string id:string result:string [seqNo:vlong] [primaryTerm:vlong] [routing:string]
 *                                                  ; flags 1, 2 and 4 say which of the last three are there
 *   gap      = proxy:string from:int64 until:int64 requests:vlong cause:string flags:byte [indices]
 *                                                  ; flag 1: all indices are known
 *   indices  = count:vint string*
 *   mark     = proxy:string at:int64 version:string               ; started and stopped
 *   exchange = proxy:string number:vlong
 *   headers  = count:vint string*                  ; name, value, name, value …
 *   body     = all bytes up to the end of the frame
 *   string   = byteLength:vint, UTF-8 bytes;  vint and vlong as in bytes/cursor.ts;  times are epoch microseconds
 */
export const kinds = {
  request: 1,
  response: 2,
  thin: 3,
  gap: 4,
  started: 5,
  stopped: 6,
} as const

/** The version that is written, of every kind. */
export const recordVersion = 1

export const frameHeadBytes = 8
/** Of `content`. What is longer is no frame. */
export const contentBytesMax = 2 ** 29

export const requestFlags = { mayWrite: 1 } as const
export const thinFlags = { seqNo: 1, primaryTerm: 2, routing: 4 } as const
export const gapFlags = { indices: 1 } as const
