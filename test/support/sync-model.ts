/**
 * A live migration in the small: a source that loses its primary or is restored, a backfill, sync with its lanes, reads and
 * kept deletes, the audit, restarts. Each step is one of those that could come next, and a list of numbers says which; so
 * any interleaving, delay and repetition is some list. Afterwards nothing new happens, all that is under way ends, and
 * source and target must be equal.
 *
 * `rules` are the conditions of the version rule, one by one: without any of them some list must end unequal.
 *
 * What is assumed of the world: what a dead process sent has arrived or is lost before the delete is applied once more
 * that was kept against it.
 */
import { IntervalSet } from '../../src/sync/interval-set.ts'
import type { IndexFlow } from '../../src/sync/index-flow.ts'
import { coalesce, pendingOf } from '../../src/sync/pending-document.ts'
import {
  ModelSource,
  ModelTarget,
  type Exchange,
  type Id,
  type LogRecord,
  type Message,
  type ModelDocument,
  type ModelSnapshot,
} from './sync-model-world.ts'

/** What may happen besides writes that are carried out, answered, and read from the log. */
export const events = [
  'update',
  'bypass',
  'loss',
  'restore',
  'recreate',
  'unknown',
  'tombstones',
  'kill',
] as const
export type Event = (typeof events)[number]

export interface ConditionRow {
  readonly sentence: string
  /** Against what it is made. */
  readonly events: readonly Event[]
  /** For the rare ones: a world in which it matters often. */
  readonly world?: Omit<World, 'events'>
  /** One that finds a counterexample soon; else 1. */
  readonly seed?: number
}

/** The conditions, each held unless it is false. */
export const conditions = {
  versions: { sentence: 'the target keeps the newest version', events: [] },
  fence: { sentence: 'what is sent names the target index that it is for', events: ['recreate'] },
  lanes: {
    sentence: 'changes of one document wait for one another',
    events: ['tombstones', 'bypass'],
    world: { operations: 2, haste: [16, 1, 64, 1, 16, 16, 16, 16, 4, 64] },
  },
  settled: {
    seed: 4,
    sentence: 'a write without an answer is settled before the next of its document',
    events: ['tombstones'],
    world: { operations: 3, haste: [1, 16, 4, 1, 16, 64, 4, 1, 1, 64] },
  },
  keptDeletes: {
    seed: 9,
    sentence: 'deletes are applied once more when what was before them is written',
    events: ['tombstones'],
  },
  keptForBackfill: {
    seed: 4,
    sentence: 'they are kept until the backfill has ended',
    events: ['tombstones'],
    world: { operations: 2, haste: [1, 16, 4, 1, 1, 64, 16, 4, 4, 16] },
  },
  waitingRequests: {
    sentence: 'a checkpoint does not pass a request without its answer',
    events: ['tombstones'],
  },
  checkpointWait: {
    sentence: 'what was read above the global checkpoint waits for it',
    events: ['loss', 'update'],
  },
  absenceWait: {
    seed: 5,
    sentence: 'nor is what was not found taken for deleted before',
    events: ['loss', 'unknown'],
    world: { operations: 4, haste: [4, 64, 1, 1, 64, 16, 64, 64, 16, 64] },
  },
  deleteAtCheckpoint: {
    sentence: 'what is not found is deleted at the global checkpoint',
    events: ['unknown'],
  },
  incarnation: { sentence: 'another history is another incarnation', events: ['restore'] },
  doubt: {
    sentence: 'numbers of before a change of incarnation are not used',
    events: ['restore'],
  },
  doubtOfRequests: { sentence: 'nor those of requests that began before it', events: ['restore'] },
  audit: { sentence: 'numbers that nobody told of are looked for', events: ['bypass'] },
  holesAfterBackfill: {
    seed: 6,
    sentence: 'ids are compared for a hole after the backfill',
    events: ['bypass'],
  },
  holesAfterLog: {
    seed: 12,
    sentence: 'and after what the log held when the hole was seen',
    events: ['bypass'],
  },
  inSnapshot: {
    sentence: 'what the log has from before the snapshot is not written',
    events: ['bypass'],
  },
  snapshotTerm: {
    sentence: 'numbers of a snapshot count once they are safe, under its term',
    events: ['loss', 'bypass'],
  },
} as const satisfies { [name: string]: ConditionRow }

export type Condition = keyof typeof conditions
export type Rules = Readonly<Record<Condition, boolean>>

const ids: readonly Id[] = ['a', 'b']

interface Change {
  readonly id: Id
  readonly what: 'write' | 'delete' | 'read'
  readonly seqNo?: number
  readonly value?: number
  /** A delete that is applied once more is not kept once more. */
  readonly isKept?: boolean
  readonly settled: () => void
}

/** Changes of one document, of which one is under way. */
interface Lane {
  readonly id: Id
  readonly waiting: Change[]
  active: Active | undefined
}

interface Active {
  readonly change: Change
  readonly fence: number
  phase: 'checkpoint' | 'read' | 'confirm' | 'sent'
  checkpoint: number
  /** The highest number given out when the document was read. */
  maxSeqNo: number
  term: number
  document: ModelDocument | undefined
}

interface KeptDelete {
  readonly id: Id
  readonly seqNo: number
}

interface Generation {
  readonly deletes: KeptDelete[]
  /** Undefined: it is the open one. */
  ends: number | undefined
}

interface Comparison {
  readonly holes: readonly number[]
  readonly logEnd: number
  unsettled: number
  sourceIds: Set<Id> | undefined
}

interface Step {
  readonly name: string
  readonly weight: number
  /** What does not happen any more when all that is under way ends. */
  readonly isFault?: boolean
  /** The event that it is; undefined: it belongs to every day. */
  readonly event?: Event
  readonly run: () => void
}

export interface World {
  readonly events: readonly Event[]
  /** How many operations clients begin. */
  readonly operations: number
  /** How often each actor's turn comes, of #enabled(). */
  readonly haste: readonly number[]
}

export const actors = 10

export class SyncModel {
  readonly steps: string[] = []
  readonly #rules: Rules
  readonly #source = new ModelSource()
  readonly #target = new ModelTarget()
  readonly #messages: Message[] = []
  #now = 0
  #values = 0
  /** New operations that clients may still begin. */
  #operationsLeft: number
  #upheavalsLeft = 2

  // The proxy: exchanges under way, and the log.
  #exchanges: Exchange[] = []
  readonly #log: LogRecord[] = []

  // The backfill.
  #snapshot: ModelSnapshot | undefined
  #unsent: Id[] = []
  #unacknowledged = new Set<Id>()
  #countsSnapshot: 'not-yet' | 'counted' | 'never' = 'not-yet'

  // What sync keeps over restarts.
  #incarnation = 'i0'
  #checkpoint = 0
  #doubt = { logEnd: 0, beganBefore: 0 }
  #accounted = new IntervalSet()
  #generations: Generation[] = [{ deletes: [], ends: undefined }]

  // What it does not.
  #life = 0
  #position = 0
  #unsettled = new Map<Exchange, number>()
  #lanes: Lane[] = []
  #comparison: Comparison | undefined
  #reapplying = 0

  readonly #world: World

  constructor(rules: Rules, world: World) {
    this.#rules = rules
    this.#world = world
    this.#operationsLeft = world.operations
  }

  /** Does one of the steps that could come next. */
  step(choice: number): void {
    const enabled = this.#enabled()
    if (enabled.length === 0) return
    const total = enabled.reduce((sum, { weight }) => sum + weight, 0)
    let left = choice % total
    this.#run(enabled.find(({ weight }) => (left -= weight) < 0)!)
  }

  /** Lets everything end that is under way, without faults and new writes. Throws if it does not end. */
  drain(): void {
    for (let round = 0; round < 3000; round++) {
      const enabled = this.#enabled().filter(({ isFault }) => isFault !== true)
      if (enabled.length === 0) return
      this.#run(enabled[round % enabled.length]!)
    }
    throw new Error(
      `it does not end: ${this.#enabled()
        .map(({ name }) => name)
        .join(', ')}`,
    )
  }

  /** What is not equal, or [] . */
  differences(): string[] {
    const source = this.#source.documents('primary')
    const target = this.#target.documents()
    return ids.flatMap((id) => {
      const there = source.get(id)
      const here = target.get(id)
      const text = (value: number | null | undefined): string => String(value ?? 'none')
      return there?.value === (here?.value ?? undefined)
        ? []
        : [
            `${id}: source ${text(there?.value)} at ${text(there?.seqNo)}, target ${text(here?.value)} at ${text(here && here.version - 1)}`,
          ]
    })
  }

  #run({ name, run }: Step): void {
    this.#now++
    this.steps.push(name)
    run()
  }

  #enabled(): Step[] {
    const ofActors = [
      this.#clientSteps(),
      this.#sourceSteps(),
      this.#proxySteps(),
      this.#networkSteps(),
      this.#backfillSteps(),
      this.#syncSteps(),
      this.#laneSteps(),
      this.#keptSteps(),
      this.#rules.audit ? this.#auditSteps() : [],
    ]
    return ofActors.flatMap((steps, actor) =>
      steps
        .filter(({ event }) => event === undefined || this.#world.events.includes(event))
        .map((step) => ({
          ...step,
          weight: step.weight * this.#world.haste[step.event === undefined ? actor : actors - 1]!,
        })),
    )
  }

  // Clients.

  #clientSteps(): Step[] {
    if (this.#operationsLeft === 0) return []
    return ids.flatMap((id) => {
      const begin = (kind: Exchange['kind']) => (): void => {
        this.#operationsLeft--
        const value = kind === 'delete' ? null : ++this.#values
        const exchange = { id, kind, value, beganAt: this.#now }
        this.#exchanges.push(exchange)
        this.#log.push({ kind: 'request', exchange })
      }
      const bypass = (value: number | null) => (): void => {
        this.#operationsLeft--
        this.#source.begin(id, value)
      }
      const steps: Step[] = [
        { name: `a client writes ${id}`, weight: 3, isFault: true, run: begin('write') },
        { name: `a client deletes ${id}`, weight: 3, isFault: true, run: begin('delete') },
        {
          name: `a client updates ${id}`,
          weight: 1,
          event: 'update',
          isFault: true,
          run: begin('update'),
        },
      ]
      if (this.#source.isBusyWith(id)) return steps
      return [
        ...steps,
        {
          name: `${id} is written past the proxy`,
          weight: 1,
          event: 'bypass',
          isFault: true,
          run: () => bypass(++this.#values)(),
        },
        {
          name: `${id} is deleted past the proxy`,
          weight: 1,
          event: 'bypass',
          isFault: true,
          run: bypass(null),
        },
      ]
    })
  }

  // The source.

  #sourceSteps(): Step[] {
    const source = this.#source
    const started = this.#exchanges.filter(
      ({ id, operation, outcome }) =>
        operation === undefined && outcome === undefined && !source.isBusyWith(id),
    )
    return [
      ...started.map((exchange) => ({
        name: `the source numbers ${exchange.kind} ${exchange.id} as ${source.maxSeqNo + 1}`,
        weight: 6,
        run: () => {
          exchange.operation = source.begin(exchange.id, exchange.value)
        },
      })),
      ...source.invisible().map((operation) => ({
        name: `${source.seqNoOf(operation)} can be seen`,
        weight: 4,
        run: () => {
          operation.isVisible = true
        },
      })),
      ...source.unreplicated().map((operation) => ({
        name: `${source.seqNoOf(operation)} is replicated`,
        weight: 4,
        run: () => {
          operation.isReplicated = true
        },
      })),
      ...this.#upheavals(),
    ]
  }

  /** What turns the source's numbers; now and then only, since the last one hides what the others did. */
  #upheavals(): Step[] {
    if (this.#upheavalsLeft === 0) return []
    const source = this.#source
    const upheaval = (name: string, event: Event, run: () => void): Step => ({
      name,
      weight: 1,
      isFault: true,
      event,
      run: () => {
        this.#upheavalsLeft--
        run()
      },
    })
    return [
      upheaval('the primary is lost', 'loss', () => source.losePrimary()),
      upheaval('the index is restored', 'restore', () =>
        source.restore(Math.ceil((source.maxSeqNo + 1) / 2)),
      ),
      upheaval('the index is deleted and made again', 'recreate', () => source.recreate()),
    ]
  }

  // The proxy and its log.

  #proxySteps(): Step[] {
    return this.#exchanges.flatMap((exchange) => this.#answerSteps(exchange))
  }

  #answerSteps(exchange: Exchange): Step[] {
    const { operation, id, kind, outcome } = exchange
    const log = (): void => {
      this.#exchanges = this.#exchanges.filter((one) => one !== exchange)
      this.#log.push({ kind: 'response', exchange })
    }
    if (outcome !== undefined) {
      return [
        { name: `the answer to ${kind} ${id} (${outcome}) is in the log`, weight: 4, run: log },
      ]
    }
    const seqNo = operation && this.#source.seqNoOf(operation)
    const isLost = operation !== undefined && seqNo === undefined
    const unknown = (then: () => void): Step => ({
      name: `no answer to ${kind} ${id}`,
      weight: 1,
      ...(!isLost && { isFault: true, event: 'unknown' }),
      run: () => {
        exchange.outcome = 'unknown'
        log()
        then()
      },
    })
    if (operation === undefined) {
      const begin = (): void => {
        if (!this.#source.isBusyWith(id)) this.#source.begin(id, exchange.value)
      }
      return [unknown(() => {}), unknown(begin)]
    }
    if (isLost || !operation.isReplicated) return [unknown(() => {})]
    const answer = (): void => {
      exchange.outcome = seqNo!
    }
    return [
      unknown(() => {}),
      { name: `answer: ${kind} ${id} has ${seqNo}`, weight: 4, run: answer },
    ]
  }

  // What is between us and the target.

  #networkSteps(): Step[] {
    const { messages, target } = { messages: this.#messages, target: this.#target }
    const text = ({ id, version, fence, value }: Message): string =>
      `${value === null ? 'delete' : 'write'} ${id} at ${version - 1} for target ${fence}`
    return [
      ...messages.map((message) => ({
        name: `arrives: ${text(message)}`,
        weight: 3,
        run: () => {
          messages.splice(messages.indexOf(message), 1)
          const outcome = target.take(message, this.#rules)
          message.answer?.(outcome)
        },
      })),
      ...(target.hasTombstones()
        ? [
            {
              name: 'the target forgets its tombstones',
              weight: 4,
              event: 'tombstones' as const,
              isFault: true,
              run: () => target.forgetTombstones(),
            },
          ]
        : []),
    ]
  }

  #hasZombies(): boolean {
    return this.#messages.some(({ answer }) => answer === undefined)
  }

  // The backfill.

  #backfillSteps(): Step[] {
    if (this.#snapshot === undefined) {
      return [
        {
          name: 'a snapshot is made',
          weight: 4,
          run: () => {
            this.#snapshot = this.#source.snapshot()
            this.#unsent = [...this.#snapshot.documents.keys()]
            this.#unacknowledged = new Set(this.#unsent)
            if (this.#snapshot.incarnation !== this.#incarnation || this.#target.fence !== 1)
              this.#countsSnapshot = 'never'
          },
        },
      ]
    }
    const { documents } = this.#snapshot
    const send = (id: Id): void => {
      const { seqNo, value } = documents.get(id)!
      const answer = (): void => void this.#unacknowledged.delete(id)
      this.#messages.push({ fence: 1, id, version: seqNo + 1, value, answer })
    }
    return [
      ...this.#unsent.map((id): Step => ({
        name: `backfill sends ${id}`,
        weight: 2,
        run: () => {
          this.#unsent = this.#unsent.filter((one) => one !== id)
          send(id)
        },
      })),
      ...(this.#unacknowledged.size > 0
        ? [
            {
              name: 'backfill is killed and goes on',
              weight: 1,
              event: 'kill' as const,
              isFault: true,
              run: () => {
                this.#unsent = [...this.#unacknowledged]
              },
            },
          ]
        : []),
    ]
  }

  #isBackfilled(): boolean {
    return this.#snapshot !== undefined && this.#unacknowledged.size === 0
  }

  // Sync: the log.

  #syncSteps(): Step[] {
    const steps: Step[] = []
    // The target index is made from it.
    if (this.#snapshot === undefined) return steps
    if (this.#position < this.#log.length) {
      steps.push({ name: 'sync takes a record', weight: 8, run: () => this.#takeRecord() })
    }
    const passed = this.#settledTo()
    if (passed > this.#checkpoint) {
      steps.push({
        name: 'sync keeps its checkpoint',
        weight: 4,
        run: () => {
          this.#checkpoint = passed
        },
      })
    }
    steps.push({
      name: 'sync is killed and started',
      weight: 1,
      event: 'kill' as const,
      isFault: true,
      run: () => this.#restart(),
    })
    return steps
  }

  #takeRecord(): void {
    this.#look()
    const at = this.#position++
    const { kind, exchange } = this.#log[at]!
    if (kind === 'request') return void this.#unsettled.set(exchange, at)
    const settled = (): void => void this.#unsettled.delete(exchange)
    if (!this.#unsettled.has(exchange)) return
    const isDoubtful = this.#isDoubtful(at, exchange)
    if (!isDoubtful && this.#isInSnapshot(exchange)) return settled()
    this.#add(this.#changeOf(exchange, isDoubtful, settled))
  }

  #changeOf(
    { id, kind, value, outcome }: Exchange,
    isDoubtful: boolean,
    settled: () => void,
  ): Change {
    if (isDoubtful || outcome === 'unknown' || outcome === undefined)
      return { id, what: 'read', settled }
    const { fence } = this.#target
    const account = (): void => {
      this.#account(fence, [outcome])
      settled()
    }
    if (kind === 'update') return { id, what: 'read', seqNo: outcome, settled: account }
    if (value === null) return { id, what: 'delete', seqNo: outcome, settled: account }
    return { id, what: 'write', seqNo: outcome, value, settled: account }
  }

  #isInSnapshot({ outcome }: Exchange): boolean {
    const { incarnation, localCheckpoint } = this.#snapshot!
    const isOfIt = this.#countsSnapshot !== 'never' && incarnation === this.#incarnation
    return (
      this.#rules.inSnapshot && isOfIt && typeof outcome === 'number' && outcome <= localCheckpoint
    )
  }

  #isDoubtful(position: number, { beganAt }: Exchange): boolean {
    const { logEnd, beganBefore } = this.#doubt
    if (this.#rules.doubt && position < logEnd) return true
    return this.#rules.doubtOfRequests && this.#rules.doubt && beganAt < beganBefore
  }

  #settledTo(): number {
    const positions = [...this.#unsettled]
      .filter(([exchange]) => this.#rules.waitingRequests || exchange.outcome !== undefined)
      .map(([, at]) => at)
    return Math.min(this.#position, ...positions)
  }

  /** Looks whether the source's index is still the one that it was. */
  #look(): void {
    const { incarnation } = this.#source
    if (!this.#rules.incarnation || incarnation === this.#incarnation) return
    this.#incarnation = incarnation
    this.#fillAnew()
    this.#doubt = { logEnd: this.#log.length, beganBefore: this.#now }
  }

  #fillAnew(): void {
    this.#target.makeAnew()
    this.#accounted = new IntervalSet()
    this.#countsSnapshot = 'never'
    this.#generations = [{ deletes: [], ends: undefined }]
    this.#comparison = undefined
    this.#reapplying = 0
    for (const lane of this.#lanes) {
      lane.waiting.splice(
        0,
        Infinity,
        ...lane.waiting.flatMap((change): Change[] =>
          change.isKept === true ? [] : [{ id: change.id, what: 'read', settled: change.settled }],
        ),
      )
    }
  }

  #restart(): void {
    this.#life++
    for (const [i, message] of this.#messages.entries()) {
      if (message.fence !== 1 || !this.#isOfBackfill(message))
        this.#messages[i] = { ...message, answer: undefined }
    }
    this.#position = this.#checkpoint
    this.#unsettled = new Map()
    this.#lanes = []
    this.#comparison = undefined
    this.#reapplying = 0
  }

  #isOfBackfill({ answer }: Message): boolean {
    return answer !== undefined && !this.#ours.has(answer)
  }

  /** Answers that sync itself waits for. */
  readonly #ours = new WeakSet<NonNullable<Message['answer']>>()

  #account(fence: number, numbers: Iterable<number>): void {
    if (fence !== this.#target.fence) return
    for (const number of numbers) this.#accounted.add(number)
  }

  // Sync: lanes.

  #add(change: Change): void {
    const found = this.#rules.lanes ? this.#lanes.find(({ id }) => id === change.id) : undefined
    if (found === undefined)
      this.#lanes.push({ id: change.id, waiting: [change], active: undefined })
    else found.waiting.push(change)
  }

  #laneSteps(): Step[] {
    this.#lanes = this.#lanes.filter(
      ({ waiting, active }) => waiting.length > 0 || active !== undefined,
    )
    return this.#lanes.flatMap((lane) => this.#stepsOf(lane))
  }

  #stepsOf(lane: Lane): Step[] {
    const { id, active } = lane
    if (active === undefined) {
      return [{ name: `the lane of ${id} goes on`, weight: 5, run: () => this.#begin(lane) }]
    }
    const source = this.#source
    switch (active.phase) {
      case 'checkpoint':
        return [
          {
            name: `for ${id} the checkpoint is asked`,
            weight: 5,
            run: () => {
              this.#look()
              active.checkpoint = this.#rules.deleteAtCheckpoint
                ? source.globalCheckpoint
                : source.maxSeqNo
              active.term = source.term
              active.phase = 'read'
            },
          },
        ]
      case 'read':
        return (['primary', 'replica'] as const).map((copy) => ({
          name: `${id} is read from the ${copy}`,
          weight: 3,
          run: () => {
            active.document = source.documents(copy).get(id)
            active.maxSeqNo = source.maxSeqNo
            active.phase = 'confirm'
          },
        }))
      case 'confirm':
        return this.#mayConfirm(active)
          ? [
              {
                name: `what was read of ${id} is sent`,
                weight: 5,
                run: () => this.#confirm(lane, active),
              },
            ]
          : []
      case 'sent':
        return this.#rules.settled
          ? []
          : [
              {
                name: `no answer for ${id}: sent again`,
                weight: 2,
                isFault: true,
                run: () => {
                  lane.active = undefined
                  lane.waiting.push(active.change)
                },
              },
            ]
    }
  }

  #begin(lane: Lane): void {
    const change = putTogether(lane.waiting.splice(0))
    const active: Active = {
      change,
      fence: this.#target.fence,
      phase: change.what === 'read' ? 'checkpoint' : 'sent',
      checkpoint: -1,
      maxSeqNo: -1,
      term: 0,
      document: undefined,
    }
    lane.active = active
    if (change.what === 'read') return
    this.#send(lane, active, { seqNo: change.seqNo!, value: change.value ?? null })
  }

  /** What explains the document, or its absence, cannot be rolled back any more. Or it has been, and is read again. */
  #mayConfirm({ document, maxSeqNo, term }: Active): boolean {
    const source = this.#source
    const waits = document === undefined ? this.#rules.absenceWait : this.#rules.checkpointWait
    const isSafe = (document?.seqNo ?? maxSeqNo) <= source.globalCheckpoint
    const isOther = term !== source.term || source.incarnation !== this.#incarnation
    return !waits || isSafe || isOther
  }

  #confirm(lane: Lane, active: Active): void {
    this.#look()
    const { document, checkpoint, term, fence } = active
    const isOther = fence !== this.#target.fence || term !== this.#source.term
    if (isOther) {
      lane.active = undefined
      lane.waiting.unshift({ id: lane.id, what: 'read', settled: active.change.settled })
      return
    }
    active.phase = 'sent'
    this.#send(lane, active, {
      seqNo: document?.seqNo ?? checkpoint,
      value: document?.value ?? null,
    })
  }

  #send(
    lane: Lane,
    active: Active,
    { seqNo, value }: { seqNo: number; value: number | null },
  ): void {
    const { change, fence } = active
    const life = this.#life
    if (value === null && change.isKept !== true && this.#rules.keptDeletes) {
      this.#generations.at(-1)!.deletes.push({ id: lane.id, seqNo })
    }
    const answer = (outcome: 'done' | 'conflict' | 'no-index'): void => {
      if (life !== this.#life || lane.active !== active) return
      lane.active = undefined
      if (outcome !== 'no-index') return change.settled()
      if (change.isKept !== true)
        lane.waiting.unshift({ id: lane.id, what: 'read', settled: change.settled })
    }
    this.#ours.add(answer)
    this.#messages.push({ fence, id: lane.id, version: seqNo + 1, value, answer })
  }

  // Sync: kept deletes.

  #keptSteps(): Step[] {
    const steps: Step[] = []
    const open = this.#generations.at(-1)!
    if (open.deletes.length > 0) {
      steps.push({
        name: 'a generation of kept deletes is closed',
        weight: 2,
        run: () => {
          open.ends = this.#log.length
          this.#generations.push({ deletes: [], ends: undefined })
        },
      })
    }
    const [oldest] = this.#generations
    const isOver =
      oldest!.ends !== undefined &&
      this.#checkpoint >= oldest!.ends &&
      !this.#hasZombies() &&
      this.#reapplying === 0 &&
      (this.#isBackfilled() || !this.#rules.keptForBackfill)
    if (isOver)
      steps.push({
        name: 'kept deletes are applied once more',
        weight: 4,
        run: () => this.#reapply(oldest!),
      })
    return steps
  }

  #reapply(generation: Generation): void {
    const { fence } = this.#target
    this.#reapplying = generation.deletes.length
    for (const { id, seqNo } of generation.deletes) {
      this.#add({
        id,
        what: 'delete',
        seqNo,
        isKept: true,
        settled: () => {
          if (fence !== this.#target.fence || --this.#reapplying > 0) return
          this.#generations = this.#generations.filter((one) => one !== generation)
        },
      })
    }
  }

  // The audit.

  #auditSteps(): Step[] {
    if (this.#snapshot === undefined) return []
    this.#countSnapshot()
    const comparison = this.#comparison
    if (comparison === undefined) {
      const isOther = this.#rules.incarnation && this.#incarnation !== this.#source.incarnation
      const isOpen = this.#holes().length > 0 || isOther || this.#isRolledBack()
      return isOpen
        ? [{ name: 'the audit looks for holes', weight: 3, run: () => this.#findHoles() }]
        : []
    }
    const isDue =
      comparison.unsettled === 0 &&
      (!this.#rules.holesAfterLog ||
        (this.#checkpoint >= comparison.logEnd && !this.#hasZombies())) &&
      (!this.#rules.holesAfterBackfill || this.#isBackfilled())
    if (!isDue) return []
    return comparison.sourceIds === undefined
      ? [
          {
            name: 'the audit reads the ids of the source',
            weight: 3,
            run: () => {
              comparison.sourceIds = new Set(this.#source.documents('primary').keys())
            },
          },
        ]
      : [
          {
            name: 'the audit reads the ids of the target',
            weight: 3,
            run: () => this.#compareIds(comparison),
          },
        ]
  }

  /** The numbers of the snapshot count once they are known to be safe, under the term that they were made under. */
  #countSnapshot(): void {
    const snapshot = this.#snapshot
    if (this.#countsSnapshot !== 'not-yet' || snapshot === undefined || !this.#isBackfilled())
      return
    const { globalCheckpoint, term } = this.#source
    const isSafe =
      !this.#rules.snapshotTerm || (globalCheckpoint >= snapshot.maxSeqNo && term === snapshot.term)
    if (!isSafe || this.#source.incarnation !== this.#incarnation) return
    this.#countsSnapshot = 'counted'
    for (let number = 0; number <= snapshot.localCheckpoint; number++) this.#accounted.add(number)
    for (const { seqNo } of snapshot.documents.values()) this.#accounted.add(seqNo)
  }

  /** What the snapshot holds may have been rolled back. */
  #isRolledBack(): boolean {
    return (
      this.#rules.snapshotTerm &&
      this.#countsSnapshot === 'not-yet' &&
      this.#snapshot !== undefined &&
      this.#source.term !== this.#snapshot.term
    )
  }

  #holes(): number[] {
    const { globalCheckpoint } = this.#source
    return [...this.#accounted.missing(0, globalCheckpoint)].flatMap(({ from, to }) =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i),
    )
  }

  #findHoles(): void {
    this.#look()
    if (this.#isRolledBack()) this.#fillAnew()
    const holes = this.#holes()
    if (holes.length === 0) return
    const found = [...this.#source.documents('primary')].filter(([, { seqNo }]) =>
      holes.includes(seqNo),
    )
    const explained = new Set(found.map(([, { seqNo }]) => seqNo))
    const unexplained = holes.filter((number) => !explained.has(number))
    const comparison: Comparison = {
      holes: unexplained,
      logEnd: this.#log.length,
      unsettled: found.length,
      sourceIds: undefined,
    }
    this.#comparison = comparison
    const { fence } = this.#target
    for (const [id, { seqNo }] of found) {
      this.#read(id, () => {
        this.#account(fence, [seqNo])
        const isOver = --comparison.unsettled === 0 && unexplained.length === 0
        if (isOver && this.#comparison === comparison) this.#comparison = undefined
      })
    }
  }

  #compareIds(comparison: Comparison): void {
    const sourceIds = comparison.sourceIds!
    const targetIds = this.#target.documents()
    const differing = ids.filter((id) => sourceIds.has(id) !== targetIds.has(id))
    const { fence } = this.#target
    let left = differing.length
    const end = (): void => {
      this.#account(fence, comparison.holes)
      if (this.#comparison === comparison) this.#comparison = undefined
    }
    if (left === 0) return end()
    comparison.unsettled = Infinity
    for (const id of differing) this.#read(id, () => void (--left === 0 && end()))
  }

  #read(id: Id, settled: () => void): void {
    this.#add({ id, what: 'read', settled })
  }
}

const flow = { life: 0, hasClientVersions: false } as IndexFlow

/** One change for all that wait in a lane, by the rules of sync itself. */
function putTogether(changes: readonly Change[]): Change {
  const pending = changes.map(({ id, what, seqNo, value, isKept }) => {
    const change = { index: 'i', id, routing: null, what, ...(seqNo !== undefined && { seqNo }) }
    const source = value === undefined ? {} : { source: Buffer.from(String(value)) }
    return pendingOf(
      { ...change, ...source },
      flow,
      { numbered: true, typed: false },
      isKept === true ? 'this-index' : undefined,
    )
  })
  const [first, ...others] = pending
  for (const other of others) coalesce(first!, other)
  const { id, what, number, source, again } = first!
  return {
    id,
    what,
    ...(what !== 'read' && { seqNo: number }),
    ...(source !== undefined && { value: Number(source.toString()) }),
    isKept: again !== undefined,
    settled: () => {
      for (const { settled } of changes) settled()
    },
  }
}
