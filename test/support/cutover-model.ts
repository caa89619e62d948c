/**
 * The cut-over and the back-out in the small: two proxies, a coordinator that dies at any moment, the flow between the
 * clusters, three writes of clients, a task that changes documents by itself, a client that goes round the proxies, a worker
 * of the flow that has been asleep. explore() takes every step that could come next in every state that can come about.
 *
 * A message is what the coordinator has decided to say; it comes at any time from then on, again and again, or never. A frozen
 * proxy is one whose turn does not come. A write that was on its way when its proxy died may arrive at any later time.
 *
 * What is assumed of the world: a write of a dead proxy that arrives at the side that was left, after the block there is
 * lifted, was acknowledged to nobody; the audit of that side names it. It comes before the next turn, or never.
 *
 * `rules` are what the protocol rests on, one by one: without any of them some order of steps breaks a promise.
 */

/** What the protocol rests on. */
export const rules = {
  inFlight: 'a proxy says that it holds only when no write of it is under way',
  tasks: 'tasks that write by themselves are awaited before the block',
  block: 'the side that is left is blocked before it is drained',
  drain: 'the sides are compared by what is read after the block',
  flowOff: 'the flow is cut off before the decision is stored',
  storeFirst: 'a decision is stored before anybody is told of it',
  turns: 'messages bear the number of their turn, and older ones are not listened to',
  noGuess: 'a proxy that is told nothing holds, and refuses what has waited too long',
  allHold: 'without the word of every proxy nothing is switched',
  unblockFirst: 'the side that is written to is unblocked before proxies are sent there',
  durable: 'a proxy remembers its route when it dies',
} as const
export type Rule = keyof typeof rules
export type Rules = { readonly [rule in Rule]: boolean }

const sides = 2
const proxies = 2
const writes = 3
/** Clients' writes, then the task's, then that of the client that goes round the proxies. */
const taskBit = 1 << writes
const bypassBit = 1 << (writes + 1)
const hold = 2

const write = {
  unsent: 0,
  held: 1,
  flying: 2,
  orphan: 4,
  acknowledged: 6,
  refused: 7,
  gone: 8,
} as const
const task = { none: 0, running: 1, ended: 3 } as const
const step = { none: 0, blocked: 1, drained: 2, cut: 3 } as const

/** Where each number stands in a state, and how many values it has. */
const layout = {
  /** Of the stored decision: which turn, the side that is written to, and whether the turn is undecided. */
  turn: 4,
  side: sides,
  holding: 2,
  /** Proxies are being told the decision. */
  told: 2,
  /** How far the coordinator is with this turn, and whose word it has: forgotten when it dies. */
  step: 4,
  words: 1 << proxies,
  /** What was on the side that is left when the turn began. */
  before: 1 << (writes + 2),
  blocked: 1 << sides,
  /** Bit of a side: the flow to it is open. */
  flows: 1 << sides,
  has0: 1 << (writes + 2),
  has1: 1 << (writes + 2),
  write0: 9,
  write1: 9,
  write2: 9,
  task: 4,
  bypassed: 2,
  asleep: 2,
  route0: 3,
  heard0: 4,
  route1: 3,
  heard1: 4,
} as const
type Field = keyof typeof layout
const fields = Object.keys(layout) as Field[]
type State = { [field in Field]: number }

const has = ['has0', 'has1'] as const
const writeOf = ['write0', 'write1', 'write2'] as const
const routeOf = ['route0', 'route1'] as const
const heardOf = ['heard0', 'heard1'] as const
/** Through which proxy a write comes. */
const proxyOf = [0, 1, 0] as const

/** A number below 2^53 for each state. */
function encode(state: State): number {
  let code = 0
  for (const field of fields) code = code * layout[field] + state[field]
  return code
}

function decode(code: number): State {
  const state = {} as State
  let rest = code
  for (let i = fields.length - 1; i >= 0; i--) {
    const field = fields[i]!
    state[field] = rest % layout[field]
    rest = Math.floor(rest / layout[field])
  }
  return state
}

const first: State = {
  ...(Object.fromEntries(fields.map((field) => [field, 0])) as State),
  flows: 0b10,
  told: 1,
}

type Step = (name: string, change: (next: State) => string | void) => void

export interface World {
  /** Turns that may begin, each from the side that is written to then: over, and back, or again when it was given up. At most 3. */
  readonly turns: number
  /** Of clients; at most 3. */
  readonly writes: number
  readonly rules: Rules
}

function firstOf(world: World): State {
  const state = { ...first }
  for (const field of writeOf.slice(world.writes)) state[field] = write.gone
  return state
}

/** Calls `to` for everything that may happen next. What a change returns is the promise that it breaks. */
function stepsFrom(state: State, world: World, to: Step): void {
  for (let number = 0; number < writes; number++) writeSteps(state, world, number, to)
  for (let proxy = 0; proxy < proxies; proxy++) proxySteps(state, world, proxy, to)
  flowSteps(state, to)
  strangerSteps(state, to)
  coordinatorSteps(state, world, to)
}

function writeSteps(state: State, { rules }: World, number: number, to: Step): void {
  const field = writeOf[number]!
  const now = state[field]
  const route = state[routeOf[proxyOf[number]!]]
  if (now === write.unsent || now === write.held) {
    if (route !== hold) {
      to(`write ${number} is sent to ${route}`, (next) => {
        next[field] = write.flying + route
      })
    } else if (now === write.unsent) {
      to(`write ${number} is held`, (next) => {
        next[field] = write.held
      })
    } else {
      to(`write ${number} has waited too long`, (next) => {
        if (rules.noGuess) next[field] = write.refused
        else next[field] = write.flying + (state.side as 0 | 1)
      })
      to(`the client of write ${number} hangs up`, (next) => {
        next[field] = write.gone
      })
    }
  }
  for (const [kind, isOrphan] of [
    [write.flying, false],
    [write.orphan, true],
  ] as const) {
    const side = now - kind
    if (side !== 0 && side !== 1) continue
    to(`write ${number} arrives at ${side}`, (next) => arrive(next, { number, side, isOrphan }))
  }
}

function arrive(
  next: State,
  { number, side, isOrphan }: { number: number; side: 0 | 1; isOrphan: boolean },
): string | void {
  const field = writeOf[number]!
  if (next.blocked & (1 << side)) {
    next[field] = write.refused
    return isOrphan ? undefined : `write ${number} is refused by the block of ${side}`
  }
  next[has[side]] |= 1 << number
  next[field] = isOrphan ? write.gone : write.acknowledged
  if (side === next.side) return undefined
  // Nobody was told that it is written; the audit of the side that was left names it.
  if (isOrphan && !next.holding) {
    next[has[side]] &= ~(1 << number)
    return undefined
  }
  return `write ${number} is written to ${side}, which is not the side that is written to`
}

function proxySteps(state: State, { rules }: World, proxy: number, to: Step): void {
  const route = routeOf[proxy]!
  const heard = heardOf[proxy]!
  const isNews = (turn: number): boolean =>
    rules.turns ? turn > state[heard] || (turn === state[heard] && state[route] === hold) : true
  // What was said in earlier turns may still come, which only those hear who do not look at the number.
  const lastHold = state.holding || state.told ? state.turn : state.turn - 1
  if (lastHold > 0 && (rules.turns ? lastHold > state[heard] : state[route] !== hold)) {
    to(`proxy ${proxy} is told to hold`, (next) => {
      next[route] = hold
      next[heard] = lastHold
    })
  }
  if (state.told && !state.holding && state.turn > 0 && isNews(state.turn)) {
    if (state[route] !== state.side) {
      to(`proxy ${proxy} is sent to ${state.side}`, (next) => {
        next[route] = state.side
        next[heard] = state.turn
      })
    }
  }
  if (!rules.storeFirst && state.holding && state.step === step.cut && state[route] === hold) {
    to(`proxy ${proxy} is sent to the other side`, (next) => {
      next[route] = 1 - state.side
    })
  }
  if (!rules.turns && state.turn > 1 && state[route] === hold) {
    to(`proxy ${proxy} hears an old word`, (next) => {
      next[route] = 1 - state.side
    })
  }
  const mine = writeOf.filter((_, number) => proxyOf[number] === proxy)
  const isBusy = mine.some((field) => state[field] >= write.held && state[field] < write.orphan)
  if (isBusy || !rules.durable) {
    to(`proxy ${proxy} dies and is back`, (next) => {
      for (const field of mine) {
        if (next[field] === write.held) next[field] = write.gone
        else if (next[field] === write.flying) next[field] = write.orphan
        else if (next[field] === write.flying + 1) next[field] = write.orphan + 1
      }
      if (!rules.durable) next[route] = 0
    })
  }
}

function flowSteps(state: State, to: Step): void {
  for (const side of [0, 1] as const) {
    const missing = state[has[1 - side]!] & ~state[has[side]]
    const isOpen = (state.flows & (1 << side)) !== 0 && (state.blocked & (1 << side)) === 0
    if (missing === 0 || !isOpen) continue
    to(`the flow writes to ${side}`, (next) => {
      next[has[side]] |= missing & -missing
    })
  }
}

function strangerSteps(state: State, to: Step): void {
  if (state.asleep === 0) {
    to('the worker that slept writes to 1', (next) => {
      next.asleep = 1
      if ((next.flows & 0b10) === 0 || (next.blocked & 0b10) !== 0) return undefined
      return next.side === 1 ? 'a worker of the flow before writes over the newer' : undefined
    })
  }
  if (state.bypassed === 0 && (state.blocked & (1 << state.side)) === 0) {
    to('somebody writes past the proxies', (next) => {
      next.bypassed = 1
      next[has[next.side as 0 | 1]] |= bypassBit
    })
  }
  if (state.task === task.none && state.route0 !== hold && state.route0 === state.side) {
    if ((state.blocked & (1 << state.side)) === 0) {
      to('a task begins', (next) => {
        next.task = task.running + next.side
      })
    }
  }
  const side = state.task - task.running
  if (side === 0 || side === 1) {
    to('the task ends', (next) => {
      next.task = task.ended
      if (next.blocked & (1 << side)) return 'the block breaks a task off'
      next[has[side]] |= taskBit
      return side === next.side ? undefined : 'a task writes to the side that was left'
    })
  }
}

function coordinatorSteps(state: State, world: World, to: Step): void {
  if (state.holding) turnSteps(state, world, to)
  else settledSteps(state, world, to)
  if (state.step !== step.none || state.words !== 0) {
    to('the coordinator dies and is back', (next) => {
      next.step = step.none
      next.words = 0
      if (next.holding) giveUp(next)
    })
  }
}

/** The decision that nothing changes. Where it is stored first, the rest can be done by whoever reads it. */
function giveUp(next: State): void {
  next.holding = 0
  next.told = 0
  next.step = step.none
  next.words = 0
  next.before = 0
}

function turnSteps(state: State, { rules }: World, to: Step): void {
  const from = state.side as 0 | 1
  const other = (1 - from) as 0 | 1
  const everybody = (1 << proxies) - 1
  for (let proxy = 0; proxy < proxies; proxy++) {
    const isFlying = writeOf.some(
      (field, number) =>
        proxyOf[number] === proxy && state[field] >= write.flying && state[field] < write.orphan,
    )
    const holds = state[routeOf[proxy]!] === hold && state[heardOf[proxy]!] === state.turn
    const mayWord = holds && (!isFlying || !rules.inFlight) && !(state.words & (1 << proxy))
    if (mayWord && state.step === step.none) {
      to(`proxy ${proxy} says that it holds`, (next) => {
        next.words |= 1 << proxy
      })
    }
  }
  to('the time is over: nothing is changed', giveUp)
  const isHeld = state.words === everybody || (!rules.allHold && state.words !== 0)
  const isQuiet = state.task !== task.running + from || !rules.tasks
  if (state.step === step.none && isHeld && isQuiet) {
    to(`${from} is blocked`, (next) => {
      if (rules.block) next.blocked |= 1 << from
      next.step = step.blocked
    })
  }
  const seen = rules.drain ? state[has[from]] : state.before
  if (state.step === step.blocked && (seen & ~state[has[other]]) === 0) {
    to('the sides are equal', (next) => {
      next.step = step.drained
    })
  }
  if (state.step === step.drained) {
    to('the flow is cut off', (next) => {
      if (rules.flowOff) next.flows &= ~(1 << other)
      next.step = step.cut
    })
  }
  if (state.step === step.cut) {
    to(`decided: ${other}`, (next) => {
      giveUp(next)
      next.side = other
      return next[has[from]] & ~next[has[other]] ? 'switched, and a write is missing' : undefined
    })
  }
}

/** Brings the world to what is stored, and begins the next turn when it is there. */
function settledSteps(state: State, { rules, turns }: World, to: Step): void {
  const side = state.side as 0 | 1
  const left = (1 - side) as 0 | 1
  const isReady = (state.blocked & (1 << side)) === 0 && (state.flows & (1 << side)) === 0
  if (!state.told && (state.blocked & (1 << side)) !== 0) {
    to(`${side} is unblocked`, (next) => {
      next.blocked &= ~(1 << side)
    })
  }
  if (!state.told && (state.flows & (1 << side)) !== 0 && rules.flowOff) {
    to(`the flow to ${side} is cut off`, (next) => {
      next.flows &= ~(1 << side)
    })
  }
  if (!state.told && (isReady || !rules.unblockFirst || !rules.flowOff)) {
    to('proxies are told', (next) => {
      next.told = 1
    })
  }
  if (!state.told) return
  if (!rules.unblockFirst && (state.blocked & (1 << side)) !== 0) {
    to(`${side} is unblocked`, (next) => {
      next.blocked &= ~(1 << side)
    })
    return
  }
  const areMoved = [0, 1].every(
    (proxy) =>
      state[routeOf[proxy as 0 | 1]] === side &&
      (state[heardOf[proxy as 0 | 1]] === state.turn || !rules.turns),
  )
  const isDone = (state.blocked & (1 << left)) === 0 && (state.flows & (1 << left)) !== 0
  if (!isDone && areMoved) {
    to(`${left} is open to the flow`, (next) => {
      next.blocked &= ~(1 << left)
      next.flows |= 1 << left
    })
  }
  const isLate = writeOf.some((field) => state[field] === write.orphan + left)
  if (isDone && areMoved && !isLate && state.turn < turns) {
    to('a turn begins', (next) => {
      next.turn++
      next.holding = 1
      next.told = 0
      if (!rules.drain) next.before = next[has[side]]
    })
  }
}

/** What must be so in every state. */
function brokenIn(state: State): string | undefined {
  const there = state[has[state.side as 0 | 1]]
  for (const [number, field] of writeOf.entries()) {
    const isMissing = state[field] === write.acknowledged && (there & (1 << number)) === 0
    if (isMissing) return `write ${number} was acknowledged and is missing on ${state.side}`
  }
  return undefined
}

/** Everything is decided, told and done, and no client waits. */
function isAtRest(state: State): boolean {
  const { side } = state
  const isWaiting = writeOf.some(
    (field) => state[field] > write.unsent && state[field] < write.orphan,
  )
  return (
    state.holding === 0 &&
    state.blocked === 0 &&
    state.flows === 1 << (1 - side) &&
    state.route0 === side &&
    state.route1 === side &&
    !isWaiting
  )
}

export interface Explored {
  readonly states: number
  readonly steps: number
  /** The promise that is broken, and the steps that lead there. */
  readonly broken?: { readonly promise: string; readonly steps: readonly string[] }
  /** States from which rest cannot be reached any more; one of them as the steps that lead there. */
  readonly stuck: number
  readonly stuckSteps?: readonly string[]
}

/** Every state that can come about, breadth first: what it finds is the shortest. Ends with the first broken promise. */
export function explore(world: World): Explored {
  const codes: number[] = [encode(firstOf(world))]
  const known = new Map<number, number>([[codes[0]!, 0]])
  const cameFrom: number[] = [-1]
  const edges: number[] = []
  let steps = 0
  const pathTo = (at: number, last?: string): string[] => {
    const names: string[] = last === undefined ? [] : [last]
    for (let i = at; cameFrom[i]! >= 0; i = cameFrom[i]!) {
      names.unshift(nameOfStep(decode(codes[cameFrom[i]!]!), codes[i]!, world))
    }
    return names
  }
  for (let at = 0; at < codes.length; at++) {
    const state = decode(codes[at]!)
    let broken: { promise: string; name: string } | undefined
    stepsFrom(state, world, (name, change) => {
      if (broken !== undefined) return
      const next = { ...state }
      const promise = change(next) ?? brokenIn(next)
      steps++
      if (promise !== undefined) {
        broken = { promise, name }
        return
      }
      const code = encode(next)
      let number = known.get(code)
      if (number === undefined) {
        number = codes.length
        known.set(code, number)
        codes.push(code)
        cameFrom.push(at)
      }
      edges.push(at, number)
    })
    if (broken !== undefined) {
      const { promise, name } = broken
      return { states: codes.length, steps, stuck: 0, broken: { promise, steps: pathTo(at, name) } }
    }
  }
  const stuck = unableToRest(codes, edges)
  return {
    states: codes.length,
    steps,
    stuck: stuck.length,
    ...(stuck[0] !== undefined && { stuckSteps: pathTo(stuck[0]) }),
  }
}

function nameOfStep(state: State, code: number, world: World): string {
  let found = '?'
  stepsFrom(state, world, (name, change) => {
    const next = { ...state }
    change(next)
    if (encode(next) === code) found = name
  })
  return found
}

/** Backwards from the states at rest: what is not reached can never rest again. */
function unableToRest(codes: readonly number[], edges: readonly number[]): number[] {
  const begin = new Int32Array(codes.length + 2)
  for (let i = 1; i < edges.length; i += 2) begin[edges[i]! + 2]!++
  for (let i = 1; i < begin.length; i++) begin[i]! += begin[i - 1]!
  const before = new Int32Array(edges.length / 2)
  for (let i = 0; i < edges.length; i += 2) before[begin[edges[i + 1]! + 1]!++] = edges[i]!
  const canRest = new Uint8Array(codes.length)
  const queue: number[] = []
  for (const [number, code] of codes.entries()) {
    if (!isAtRest(decode(code))) continue
    canRest[number] = 1
    queue.push(number)
  }
  for (let number = queue.pop(); number !== undefined; number = queue.pop()) {
    for (let i = begin[number]!; i < begin[number + 1]!; i++) {
      const earlier = before[i]!
      if (canRest[earlier] === 1) continue
      canRest[earlier] = 1
      queue.push(earlier)
    }
  }
  return [...codes.keys()].filter((number) => canRest[number] === 0)
}
