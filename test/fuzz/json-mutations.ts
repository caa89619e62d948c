import type { Json, JsonObject } from '../../src/base/json.ts'
import { pick, pickOf } from './mutations.ts'
import type { Random } from './mutations.ts'

/** What stands where something else was expected. */
/** Becomes nesting beyond all bounds where JSON is written as text: see jsonText(). */
const abyss = '@abyss@'
const abyssDepth = 20_000

const strangers: readonly (() => Json)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1.5,
  () => 2 ** 31 - 1,
  () => 2 ** 31,
  () => 2 ** 53 - 1,
  () => 1e300,
  () => '9223372036854775807',
  () => '',
  () => '..',
  () => 'a/../../b',
  () => '__proto__',
  () => 'x'.repeat(100_000),
  () => 'REZMAA',
  () => [],
  () => [null],
  () => ({}),
  () => ({ ['__proto__']: {} }),
  () => nested(50),
  () => nested(990),
  () => abyss,
]

function nested(depth: number): Json {
  let json: Json = 1
  for (let i = 0; i < depth; i++) json = i % 2 === 0 ? [json] : { a: json }
  return json
}

/** The JSON as text. */
export function jsonText(json: Json): string {
  const deep = '['.repeat(abyssDepth) + ']'.repeat(abyssDepth)
  return JSON.stringify(json).replaceAll(JSON.stringify(abyss), () => deep)
}

interface Spot {
  readonly holder: Json[] | JsonObject
  readonly key: string | number
}

/** One to three changes somewhere in a copy of the tree: a value replaced, taken away, doubled, moved, renamed. */
export function mutateJson(random: Random, json: Json): Json {
  const box: Json[] = [structuredClone(json)]
  for (let i = 1 + pick(random, 2) * pick(random, 3); i > 0; i--) changeOne(random, box)
  return box[0] ?? null
}

function changeOne(random: Random, box: Json[]): void {
  if (box.length === 0) box.push(pickOf(random, strangers)())
  const spots = spotsOf(box)
  const spot = pickOf(random, spots)
  const other = pickOf(random, spots)
  switch (pick(random, 6)) {
    case 0:
    case 1:
      put(spot, pickOf(random, strangers)())
      return
    case 2:
      if (Array.isArray(spot.holder)) spot.holder.splice(spot.key as number, 1)
      else delete spot.holder[spot.key]
      return
    case 3:
      put(spot, structuredClone(at(other)))
      return
    case 4:
      if (Array.isArray(spot.holder)) spot.holder.push(structuredClone(at(spot)))
      else define(spot.holder, pickOf(random, ['x', '', '__proto__', `${other.key}`]), at(spot))
      return
    default: {
      const value = at(spot)
      if (typeof value === 'number') put(spot, value + pickOf(random, [-1, 1, 0.5, 2 ** 32]))
      else if (typeof value === 'string') put(spot, value.slice(0, pick(random, value.length + 1)))
      else put(spot, pickOf(random, strangers)())
    }
  }
}

function at({ holder, key }: Spot): Json {
  return (holder as JsonObject)[key] as Json
}

function put({ holder, key }: Spot, value: Json): void {
  define(holder as JsonObject, key, value)
}

/** As an own member, `__proto__` too. */
function define(holder: JsonObject, key: string | number, value: Json): void {
  Object.defineProperty(holder, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  })
}

function spotsOf(root: Json[]): Spot[] {
  const spots: Spot[] = []
  const visit = (holder: Json): void => {
    if (typeof holder !== 'object' || holder === null) return
    for (const key of Array.isArray(holder) ? holder.keys() : Object.keys(holder)) {
      const spot = { holder, key }
      spots.push(spot)
      visit(at(spot))
    }
  }
  visit(root)
  return spots
}
