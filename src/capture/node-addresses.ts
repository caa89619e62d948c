import type { RequestHeadBytes } from './wire/heads.ts'

/** Of an answer that is rewritten; a longer one passes as it is. */
const answerBytesMax = 32 * 1024 * 1024

/**
 * Clients that sniff ask for the nodes' addresses and then go there, past the proxy. Such answers get the proxy's
 * address for each node, in the text as it is: nothing else in it changes. JSON only, which is what sniffing asks for.
 */
export class AddressRewriting {
  readonly #address: string
  readonly #data: Uint8Array[] = []
  #bytes = 0

  constructor(address: string) {
    this.#address = address
  }

  /** False: it is too long, and must pass. */
  add(data: Uint8Array): boolean {
    this.#data.push(data)
    this.#bytes += data.length
    return this.#bytes <= answerBytesMax
  }

  /** The whole body, rewritten. */
  body(): Buffer {
    return Buffer.from(withAddress(Buffer.concat(this.#data).toString('utf8'), this.#address))
  }
}

/** What an answer to this request is rewritten with, if it may name nodes; `option` as in ProxySettings. */
export function addressFor(
  request: RequestHeadBytes,
  option: boolean | string,
): string | undefined {
  if (option === false || request.method !== 'GET') return undefined
  if (!asksForNodes(request.target)) return undefined
  if (option !== true) return option
  const { headers } = request
  const host = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'host')
  return host === -1 ? undefined : headers[host + 1]
}

/** `/_nodes`, `/_nodes/http`, `/_nodes/_all/http`, `/_nodes/NODE/http,os` …, not its figures. */
function asksForNodes(target: string): boolean {
  return /^\/_nodes(?:\/(?!stats\b|[^?]*\/(?:stats|usage|hot_?threads)\b|usage\b|hot_?threads\b)[^?]*)?(?:\?|$)/.test(
    target,
  )
}

/** An object `http` without objects in it, which is where the addresses stand. */
const httpObject = /"http"\s*:\s*\{[^{}]*\}/g
const addressValue =
  /("(?:publish_address|bound_address)"\s*:\s*)("[^"]*"|\[[^\]]*(?:\][^\]"]*"[^\]]*)*\])/g
/** Elasticsearch 1.x and 2.x, beside the object. */
const httpAddress = /("http_address"\s*:\s*)("[^"]*")/g

export function withAddress(text: string, address: string): string {
  const written = (name: string, value: string): string => {
    const one = JSON.stringify(value.includes('inet[') ? `inet[/${address}]` : address)
    return `${name}${value.startsWith('[') ? `[${one}]` : one}`
  }
  return text
    .replace(httpObject, (object) =>
      object.replace(addressValue, (_, name: string, value: string) => written(name, value)),
    )
    .replace(httpAddress, (_, name: string, value: string) => written(name, value))
}
