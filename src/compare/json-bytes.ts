/** Bytes that mean something in JSON. */
export const lineFeed = 0x0a
export const quote = 0x22
export const star = 0x2a
export const plus = 0x2b
export const comma = 0x2c
export const minus = 0x2d
export const dot = 0x2e
export const slash = 0x2f
export const dotDigit = dot - 0x30
export const zero = 0x30
export const nine = 0x39
export const colon = 0x3a
export const openBracket = 0x5b
export const backslash = 0x5c
export const closeBracket = 0x5d
export const openBrace = 0x7b
export const closeBrace = 0x7d
