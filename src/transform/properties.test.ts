/** What holds for the declared steps on documents of every shape; the seed is printed by what fails. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomJson, randomSource, respell } from '../../test/support/random-json.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { declaredStep } from './declared.ts'
import { Pipeline, type DocumentText, type Step } from './pipeline.ts'
import type { DeclaredAction } from './spec.ts'

const runs = 2500

interface Case {
  readonly document: DocumentText
  readonly value: JsonObject
  readonly action: DeclaredAction
  /** Members of the document that the step has nothing to do with, as they are written. */
  readonly untouched: readonly string[]
}

/** A document, and a step with an inverse for a field that it has (or not), to a name that nothing has. */
function caseOf(seed: number): Case {
  const random = randomSource(seed)
  const value: JsonObject = {}
  const members: string[] = []
  const count = 1 + Math.floor(random() * 5)
  for (let i = 0; i < count; i++) {
    const name = random() < 0.2 ? `k${i}.in` : `k${i}`
    value[name] =
      random() < 0.2 ? numbers[Math.floor(random() * numbers.length)]! : named(random, 3)
    members.push(`${JSON.stringify(name)}:${respell(random, value[name]).trim()}`)
  }
  const from = pathIn(random, value)
  const action = actionOf(random, from)
  const top = Object.keys(value).find((name) => from === name || from.startsWith(`${name}.`))
  const untouched = members.filter((_, i) => Object.keys(value)[i] !== top)
  const document = { id: 'd', routing: undefined, type: 'order', source: `{${members.join(',')}}` }
  return { document, value, action, untouched }
}

const numbers = [1.5, 0, -7, 1e21, 123456789012]

/** Values whose members have names that a path can go by. */
function named(random: () => number, depth: number): Json {
  const value = randomJson(random, depth)
  const rename = (one: Json): Json => {
    if (Array.isArray(one)) return one.map(rename)
    if (!isJsonObject(one)) return one
    return Object.fromEntries(Object.values(one).map((inner, i) => [`n${i}`, rename(inner)]))
  }
  return rename(value)
}

function pathIn(random: () => number, value: JsonObject): string {
  const path: string[] = []
  let at: Json = value
  for (let steps = 0; steps < 4; steps++) {
    while (Array.isArray(at) && at.length > 0) at = at[Math.floor(random() * at.length)]!
    if (!isJsonObject(at) || Object.keys(at).length === 0 || (steps > 0 && random() < 0.3)) break
    const names: string[] = Object.keys(at)
    const name: string = names[Math.floor(random() * names.length)]!
    path.push(name)
    at = at[name]!
  }
  return random() < 0.05 ? 'nowhere' : path.join('.')
}

function actionOf(random: () => number, from: string): DeclaredAction {
  const parent = from.slice(0, from.lastIndexOf('.') + 1)
  const to = [`${parent}new`, 'new', 'new.place', 'new.far.away'][Math.floor(random() * 4)]!
  const kind = Math.floor(random() * 4)
  if (kind === 0) return { kind: 'copy', copy: { [from]: to } }
  if (kind === 1) return { kind: 'keepType', keepType: { field: to } }
  return { kind: 'rename', rename: { [from]: to } }
}

function stepOf(action: DeclaredAction): Step {
  return { name: action.kind, options: {}, allowDrop: false, ...declaredStep(action) }
}

/** As the engines see a document: dots in names are objects, and an object with nothing in it is nothing. */
function asSeen(value: Json): Json {
  if (Array.isArray(value)) return value.map(asSeen)
  if (!isJsonObject(value)) return value
  const seen: JsonObject = {}
  for (const [name, inner] of Object.entries(value)) {
    const [first, ...rest] = name.split('.')
    const below = rest.length > 0 ? asSeen({ [rest.join('.')]: inner }) : asSeen(inner)
    if (isJsonObject(below) && Object.keys(below).length === 0) continue
    seen[first!] = merged(seen[first!], below)
  }
  return Object.fromEntries(Object.entries(seen).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function merged(a: Json | undefined, b: Json): Json {
  if (!isJsonObject(a) || !isJsonObject(b)) return b
  const all = { ...a }
  for (const [name, value] of Object.entries(b)) all[name] = merged(all[name], value)
  return sorted(all)
}

/** As JSON has it, whatever the order of members. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).map(([name, inner]) => [name, sorted(inner)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Dots in names, and objects with nothing in them: what the engines see as something else that JSON has. */
function hasTurns(value: Json): boolean {
  if (Array.isArray(value)) return value.some(hasTurns)
  if (!isJsonObject(value)) return false
  const names = Object.keys(value)
  return names.length === 0 || names.some((name) => name.includes('.') || hasTurns(value[name]!))
}

test('a step and its inverse leave a document as it was', () => {
  let changed = 0
  let exact = 0
  for (let seed = 0; seed < runs; seed++) {
    const { document, value, action } = caseOf(seed)
    const about = { index: 'shop', mayRename: false }
    const there = new Pipeline([stepOf(action)], { ...about, direction: 'document' }).run(document)
    if ('why' in there) continue // Refused: it is a dead letter, and on no way back.
    if (there.source !== document.source) changed++
    const back = new Pipeline([stepOf(action)], { ...about, direction: 'documentBack' }).run(there)
    const what = `seed ${seed}: ${JSON.stringify(action)} on ${document.source}`
    assert.ok(!('why' in back), `${what}: ${JSON.stringify(back)}`)
    const again = JSON.parse(back.source) as Json
    assert.deepEqual(asSeen(again), asSeen(value), what)
    if (hasTurns(value)) continue
    assert.deepEqual(sorted(again), sorted(value), what)
    exact++
  }
  assert.ok(changed > runs / 3 && exact > runs / 10, `${changed} were changed, ${exact} are exact`)
})

test('what a step has nothing to do with keeps its text and its place', () => {
  for (let seed = 0; seed < runs; seed++) {
    const { document, action, untouched } = caseOf(seed)
    const about = { index: 'shop', mayRename: false } as const
    const there = new Pipeline([stepOf(action)], { ...about, direction: 'document' }).run(document)
    if ('why' in there) continue
    let at = 0
    for (const member of untouched) {
      at = there.source.indexOf(member, at)
      assert.ok(at >= 0, `seed ${seed}: ${member} of ${document.source} in ${there.source}`)
    }
  }
})
