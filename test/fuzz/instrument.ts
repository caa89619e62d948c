/**
 * Makes the decoders count: to be imported before any of them. Every loop and function of the folders of decoders, and
 * of the YAML package, gets a `fuzzMeter.tick()`; buffers and typed arrays tell their length before they are made.
 */
import { registerHooks, syncBuiltinESMExports } from 'node:module'
import zlib from 'node:zlib'
import ts from 'typescript'
import { meter } from './meter.ts'

const counted =
  /\/src\/(base|bytes|lucene|snapshot|document|traffic)\/|\/node_modules\/yaml\/dist\//
const tick = 'fuzzMeter.tick();'

Object.assign(globalThis, { fuzzMeter: meter })
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const { source } = loaded
    if (source === undefined || source === null || !counted.test(url)) return loaded
    const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()
    return { ...loaded, source: withTicks(text, url) }
  },
})

/** The same code on the same lines, counting. */
export function withTicks(text: string, name: string): string {
  const insertions: { at: number; text: string }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isIterationStatement(node, false)) {
      const body = node.statement
      if (ts.isBlock(body)) insertions.push({ at: body.getStart() + 1, text: tick })
      else insertions.push({ at: body.getStart(), text: `{${tick}` }, { at: body.end, text: '}' })
    } else if (ts.isFunctionLike(node)) {
      const { body } = node as ts.FunctionLikeDeclaration
      // In front of whatever stands there, a 'use strict' too: strictness is the module's.
      if (body && ts.isBlock(body)) insertions.push({ at: body.getStart() + 1, text: tick })
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true))
  let result = ''
  let from = 0
  for (const insertion of insertions.sort((a, b) => a.at - b.at)) {
    result += text.slice(from, insertion.at) + insertion.text
    from = insertion.at
  }
  return result + text.slice(from)
}

const arrays = {
  Uint8Array,
  Uint16Array,
  Int8Array,
  Int16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
}

for (const [name, type] of Object.entries(arrays)) {
  Object.assign(globalThis, { [name]: meteredType(type, type.BYTES_PER_ELEMENT) })
}
Object.assign(globalThis, { ArrayBuffer: meteredType(ArrayBuffer, 1) })

function meteredType<T extends object>(type: T, bytesEach: number): T {
  return new Proxy(type, {
    construct(target, args, newTarget) {
      const [first] = args as [unknown]
      if (typeof first === 'number' && first > 0) meter.allocate(first * bytesEach)
      else if (Array.isArray(first)) meter.allocate(first.length * bytesEach)
      return Reflect.construct(target as never, args, newTarget) as object
    },
  })
}

for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
  const make = Buffer[name].bind(Buffer)
  Buffer[name] = (byteLength: number, ...rest: []) => {
    if (byteLength > 0) meter.allocate(byteLength)
    return make(byteLength, ...rest)
  }
}
const concat = Buffer.concat.bind(Buffer)
Buffer.concat = (list, total) => {
  meter.allocate(total ?? list.reduce((sum, { length }) => sum + length, 0))
  return concat(list, total)
}

zlib.inflateRawSync = meteredStream(zlib.inflateRawSync)
zlib.zstdDecompressSync = meteredStream(zlib.zstdDecompressSync)
syncBuiltinESMExports()

function meteredStream<Options extends { chunkSize?: number | undefined }>(
  decompress: (input: zlib.InputType, options?: Options) => NonSharedBuffer,
): (input: zlib.InputType, options?: Options) => NonSharedBuffer {
  return (input, options) => {
    meter.allocate(options?.chunkSize ?? 16 * 1024)
    const output = decompress(input, options)
    meter.allocate(output.length)
    return output
  }
}
