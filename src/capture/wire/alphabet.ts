/** Which bytes may stand where in a head (RFC 9110 section 5, RFC 9112 section 3); 1 stands for "may". */

export const CR = 0x0d
export const LF = 0x0a
export const SP = 0x20
export const HTAB = 0x09
export const COLON = 0x3a
export const SEMICOLON = 0x3b

/** Names of fields and methods. */
export const tokenBytes = tableOf((byte) =>
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(String.fromCharCode(byte)),
)

/** Values of fields: no control characters but the tab; bytes above 127 stand for themselves. */
export const valueBytes = tableOf((byte) => byte === HTAB || (byte >= SP && byte !== 0x7f))

/** A request's target. Wider than the standard: engines take raw UTF-8 and the braces of date math, so they pass. */
export const targetBytes = tableOf((byte) => byte > SP && byte !== 0x7f)

/** The value of a hexadecimal digit, 255 for other bytes. */
export const hexValues = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase())
  return digit === -1 ? 255 : digit
})

function tableOf(may: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (may(byte) ? 1 : 0))
}
