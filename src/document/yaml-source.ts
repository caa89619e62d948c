import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import { CorruptData } from '../base/errors.ts'
import { doubleText } from '../bytes/number-text.ts'

const require = createRequire(import.meta.url)

/**
 * Converts a `_source` in YAML to JSON on one line, by the rules of the engines' parser (SnakeYAML beneath Jackson), not
 * of YAML 1.2: `yes` and `off` are booleans, dates are text, an alias is the text of its name; `0x1f` is text and `017`
 * seventeen, as engines before 8 have it. No number loses digits. Throws CorruptData.
 */
export function yamlToJson(text: string, file: string): string {
  // Loaded here, since hardly any index holds YAML.
  const yaml = require('yaml') as typeof Yaml
  try {
    // Scalars stay text, and get their kinds below.
    const document = yaml.parseDocument(text, { schema: 'failsafe', uniqueKeys: false })
    const error = document.errors[0]
    if (error !== undefined) throw error
    return nodeText(yaml, document.contents)
  } catch (cause) {
    const offset = cause instanceof yaml.YAMLParseError ? cause.pos[0] : 0
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new CorruptData({ file, offset, expected: 'a _source in YAML', found }, cause)
  }
}

function nodeText(yaml: typeof Yaml, node: unknown): string {
  if (yaml.isMap(node)) {
    const members = node.items.map(
      ({ key, value }) => `${JSON.stringify(keyText(yaml, key))}:${nodeText(yaml, value)}`,
    )
    return `{${members.join()}}`
  }
  if (yaml.isSeq(node)) return `[${node.items.map((item) => nodeText(yaml, item)).join()}]`
  if (yaml.isAlias(node)) return JSON.stringify(node.source)
  return yaml.isScalar(node) ? scalarText(node) : 'null'
}

function keyText(yaml: typeof Yaml, key: unknown): string {
  if (yaml.isAlias(key)) return key.source
  if (yaml.isScalar(key)) return String(key.value)
  throw new Error('a key that is no scalar')
}

// What YAML 1.1 takes for something else than text, as SnakeYAML has it.
const nullWord = /^(?:~|null|Null|NULL| |)$/
const trueWord = /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/
const falseWord = /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/
const integer = /^[-+]?[0-9][0-9_]*$/
const real =
  /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9_]+(?:[eE][-+]?[0-9]+)?)$/

const shortTag = 'tag:yaml.org,2002:'

function scalarText({ value, type, tag }: Yaml.Scalar): string {
  // !!binary; engines give it back as base64 text.
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'))
  const text = String(value)
  const quoted = JSON.stringify(text)
  const wanted = tag?.startsWith(shortTag) === true ? tag.slice(shortTag.length) : undefined
  if (wanted === 'binary') return JSON.stringify(text.replace(/\s/g, ''))
  if (wanted === 'str' || (wanted === undefined && (tag !== undefined || type !== 'PLAIN')))
    return quoted
  if (nullWord.test(text)) return 'null'
  if (trueWord.test(text)) return 'true'
  if (falseWord.test(text)) return 'false'
  if (integer.test(text)) return integerText(text) + (wanted === 'float' ? '.0' : '')
  return real.test(text) ? realText(text) : quoted
}

/** Decimal, even with zeros in front. */
function integerText(text: string): string {
  return text.replaceAll('_', '').replace(/^\+?(-?)0*(?=\d)/, '$1')
}

/** As it stands, where that is a number of JSON's. */
function realText(text: string): string {
  const clean = text.replaceAll('_', '').replace(/^\+/, '')
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(clean) ? clean : doubleText(Number(clean))
}
