import { isExactNumber, numberOf } from './exact-number.ts'
import { moveField, placesOf, removeAt, setField, valueAt } from './field-place.ts'
import { definitionOf, removeDefinition, setDefinition } from './mapping-place.ts'
import type { Document, Mapping, TransformModule, Value } from './module.ts'
import { define } from './source-text.ts'
import type { DeclaredAction } from './spec.ts'

/** Types that values can be converted to, as mappings name them. */
export const convertTypes = ['keyword', 'text', 'long', 'double', 'boolean'] as const
export type ConvertType = (typeof convertTypes)[number]

type Declared = TransformModule

/** A step that migration.yaml declares, as the functions that a module would export. */
export function declaredStep(action: DeclaredAction): Declared {
  switch (action.kind) {
    case 'rename':
      return renameStep(Object.entries(action.rename))
    case 'copy':
      return copyStep(Object.entries(action.copy))
    case 'remove':
      return removeStep(action.remove)
    case 'set':
      return setStep(Object.entries(action.set as { [field: string]: Value }))
    case 'convert':
      return convertStep(Object.entries(action.convert))
    case 'keepType':
      return keepTypeStep(action.keepType)
    case 'splitTypes':
      return {}
    case 'onlyTypes':
      return onlyTypesStep(action.onlyTypes)
  }
}

/** A function that changes documents in place. */
function changing(change: (document: Document) => void): (document: Document) => Document {
  return (document) => {
    change(document)
    return document
  }
}

type Pairs = readonly (readonly [string, string])[]

function renameStep(pairs: Pairs): Declared {
  return {
    mapping: (mapping) => {
      for (const [from, to] of pairs) moveDefinition(mapping, { from, to, keep: false })
      return mapping
    },
    document: changing(({ source }) => {
      for (const [from, to] of pairs) moveField(source, { from, to, keep: false })
    }),
    documentBack: changing(({ source }) => {
      for (const [from, to] of pairs.toReversed()) {
        moveField(source, { from: to, to: from, keep: false })
      }
    }),
  }
}

function copyStep(pairs: Pairs): Declared {
  return {
    mapping: (mapping) => {
      for (const [from, to] of pairs) moveDefinition(mapping, { from, to, keep: true })
      return mapping
    },
    document: changing(({ source }) => {
      for (const [from, to] of pairs) moveField(source, { from, to, keep: true })
    }),
    documentBack: changing(({ source }) => {
      // What the copy was made of tells whether there is one: a field of that name was refused before.
      for (const [from, to] of pairs.toReversed()) {
        if (placesOf(source, from).length > 0) placesOf(source, to).forEach(removeAt)
      }
    }),
  }
}

function moveDefinition(
  mapping: Mapping,
  { from, to, keep }: { from: string; to: string; keep: boolean },
): void {
  const definition = definitionOf(mapping, from)
  if (definition === undefined) return
  if (definitionOf(mapping, to) !== undefined) {
    throw new Error(`${from} cannot become ${to}: the mapping has a field ${to}`)
  }
  if (!keep) removeDefinition(mapping, from)
  setDefinition(mapping, to, keep ? structuredClone(definition) : definition)
}

function removeStep(paths: readonly string[]): Declared {
  return {
    mapping: (mapping) => {
      for (const path of paths) removeDefinition(mapping, path)
      return mapping
    },
    document: changing(({ source }) => {
      for (const path of paths) placesOf(source, path).forEach(removeAt)
    }),
  }
}

function setStep(pairs: readonly (readonly [string, Value])[]): Declared {
  return {
    document: changing(({ source }) => {
      for (const [path, value] of pairs) setField(source, path, structuredClone(value))
    }),
  }
}

function convertStep(pairs: readonly (readonly [string, ConvertType])[]): Declared {
  return {
    mapping: (mapping) => {
      for (const [path, type] of pairs) {
        if (definitionOf(mapping, path) !== undefined) setDefinition(mapping, path, { type })
      }
      return mapping
    },
    document: changing(({ source }) => {
      for (const [path, type] of pairs) {
        for (const place of placesOf(source, path)) {
          define(place.holder, place.key, converted(valueAt(place), type, path))
        }
      }
    }),
  }
}

const longPattern = /^-?(0|[1-9]\d*)$/
const longMost = 2n ** 63n - 1n
const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** The value as that type holds it, or an Error: nothing is rounded, cut off or guessed. */
function converted(value: Value, type: ConvertType, path: string): Value {
  if (value === null) return null
  if (Array.isArray(value)) return value.map((element) => converted(element, type, path))
  const text = isExactNumber(value) ? value.rawJSON : typeof value === 'object' ? '' : String(value)
  const isText = typeof value === 'string'
  switch (type) {
    case 'keyword':
    case 'text':
      if (typeof value !== 'object' || isExactNumber(value)) return text
      break
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true'
      break
    case 'long':
      if (longPattern.test(text) && isLong(BigInt(text))) return isText ? numberOf(text) : value
      break
    case 'double':
      if (numberPattern.test(text)) return isText ? numberOf(text) : value
  }
  const shown = text === '' ? 'an object' : JSON.stringify(text.slice(0, 100))
  throw new Error(`${path} is ${shown}, which is no ${type}`)
}

function isLong(value: bigint): boolean {
  return value <= longMost && value >= -longMost - 1n
}

function keepTypeStep({ field }: { field: string }): Declared {
  return {
    mapping: (mapping) => {
      if (definitionOf(mapping, field) === undefined) {
        setDefinition(mapping, field, { type: 'keyword' })
      }
      return mapping
    },
    document: changing((document) => {
      const { type, source } = document
      if (type === undefined) return
      if (placesOf(source, field).length > 0) throw new Error(`the document has a field ${field}`)
      setField(source, field, type)
    }),
    documentBack: changing(({ source }) => placesOf(source, field).forEach(removeAt)),
  }
}

function onlyTypesStep(types: readonly string[]): Declared {
  return {
    document: (document, ctx) => {
      const { type } = document
      if (type === undefined || types.includes(type)) return document
      return ctx.drop(`of type ${type}`)
    },
    documentBack: (document) => document,
  }
}
