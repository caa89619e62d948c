import type { BulkBody } from '../cluster/bulk-body.ts'
import type { WriteItem } from './write-item.ts'

/**
 * The body of one bulk request for many indices, in a buffer that is used again:
 *
 *   item   = action LF [ source LF ]
 *   action = {"index":{"_index":<fence>,"_id":<id>,"routing":<routing>,"version":<n>,"version_type":"external_gte"}}
 *          | {"delete":{ … }}                                                 "routing" only where there is one
 *
 * Sources are copied as bytes; action lines are short and made as text.
 */
export class ChangeBatch {
  readonly items: WriteItem[] = []
  readonly #itemStart = new Int32Array(itemsMax + 1)
  #bytes: Buffer

  constructor(bytesMax: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bytesMax)
  }

  get body(): BulkBody {
    return { bytes: this.#bytes, itemStart: this.#itemStart, count: this.items.length }
  }

  /** Empties it; a buffer that one large document had grown is given back. */
  reset(bytesMax: number): void {
    if (this.#bytes.length > bytesMax) this.#bytes = Buffer.allocUnsafeSlow(bytesMax)
    this.items.length = 0
  }

  /** False where there is no room for it; into an empty batch everything goes. */
  add(item: WriteItem, bytesMax: number): boolean {
    const count = this.items.length
    const action = actionLine(item)
    let at = this.#itemStart[count]!
    // A character of UTF-16 is at most three bytes of UTF-8.
    const most = at + 3 * action.length + (item.source?.length ?? 0) + 1
    if (most > Math.min(bytesMax, this.#bytes.length)) {
      if (count > 0) return false
      if (most > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(most)
    }
    if (count === itemsMax) return false
    at += this.#bytes.write(action, at, 'utf8')
    if (item.source !== null) {
      at += item.source.copy(this.#bytes, at)
      this.#bytes[at++] = 0x0a
    }
    this.items.push(item)
    this.#itemStart[count + 1] = at
    return true
  }
}

const itemsMax = 10_000

function actionLine({ source, target, id, routing, version }: WriteItem): string {
  const kind = source === null ? 'delete' : 'index'
  const routed = routing === null ? '' : `,"routing":${JSON.stringify(routing)}`
  // A fence is made of letters, digits and signs that need no escape.
  return (
    `{"${kind}":{"_index":"${target.fenceAlias}","_id":${JSON.stringify(id)}${routed},` +
    `"version":${version},"version_type":"external_gte"}}\n`
  )
}
