import type { Selection } from '../base/select.ts'
import {
  metadataVerdictKind,
  type MetadataFinding,
  type MetadataVerdict,
} from '../state/metadata-verdict.ts'
import type { StateStore } from '../state/store.ts'
import type { ComparedObject, MetadataComparison } from './compare-metadata.ts'

const findingsMax = 100
const verdictsKept = 20

const method =
  'what the plan makes of the metadata of the source, in the form of the target, against what the target answers'
const cannotSee = [
  'settings that an engine does not tell',
  'objects of which the plan does not know: security, and those of plugins that are not in its list of what stays behind',
]

/** The short of a comparison, to be kept: `announced` where the plan has told of all that differs. */
export function drawMetadataVerdict(
  comparison: MetadataComparison,
  { startedAt, endedAt, select }: { startedAt: string; endedAt: string; select: Selection },
): MetadataVerdict {
  const { objects, notCarried, onlyOnTarget, equal } = comparison
  const count = (verdict: ComparedObject['verdict']): number =>
    objects.filter((one) => one.verdict === verdict).length
  const findings: MetadataFinding[] = [
    ...objects.filter(({ verdict }) => verdict === 'missing').map(findingOf),
    ...objects.filter(({ verdict }) => verdict === 'different').map(findingOf),
    ...onlyOnTarget
      .filter(({ inPlaceOf }) => inPlaceOf.length > 0)
      .map(({ kind, name, inPlaceOf }): MetadataFinding => {
        return { kind, name, what: 'in the way', why: `of ${inPlaceOf.join(', ')}` }
      }),
    ...objects.filter(({ verdict }) => verdict === 'announced').map(findingOf),
    ...notCarried.map(({ kind, name, reason }): MetadataFinding => {
      return { kind, name, what: 'left behind', why: reason }
    }),
  ]
  const isAnnounced = findings.every(({ what }) => what === 'announced' || what === 'left behind')
  return {
    startedAt,
    endedAt,
    method,
    cannotSee,
    verdict: equal ? 'equal' : isAnnounced ? 'announced' : 'different',
    counts: {
      equal: count('equal'),
      announced: count('announced'),
      different: count('different'),
      missing: count('missing'),
    },
    notCarried: notCarried.length,
    selected: {
      include: [...(select.include ?? ['*'])],
      exclude: select.exclude ? [...select.exclude] : null,
    },
    findings: findings.slice(0, findingsMax).map(shortened),
    findingsAll: findings.length,
  }
}

function findingOf({ kind, name, verdict, ...one }: ComparedObject): MetadataFinding {
  const losses = one.announced.filter(({ loss }) => loss)
  const why =
    verdict === 'announced'
      ? losses.map(({ path, reason }) => `${path}: ${reason}`)
      : one.differences.map(({ path }) => path)
  const what = verdict === 'equal' ? 'announced' : verdict
  return { kind, name, what, why: one.reason ?? why.join('; ') }
}

const whyLengthMax = 500

function shortened(finding: MetadataFinding): MetadataFinding {
  const { why } = finding
  return why.length <= whyLengthMax
    ? finding
    : { ...finding, why: `${why.slice(0, whyLengthMax - 1)}…` }
}

/** Keeps the verdict, and lets go of the oldest of more than twenty. */
export async function keepMetadataVerdict(
  state: StateStore,
  verdict: MetadataVerdict,
): Promise<void> {
  const before = await state.list(metadataVerdictKind)
  const old = before.slice(0, Math.max(0, before.length - (verdictsKept - 1)))
  await state.commit([
    { op: 'put', kind: metadataVerdictKind, key: verdict.startedAt, value: verdict },
    ...old.map(({ key }) => ({ op: 'delete', kind: metadataVerdictKind, key }) as const),
  ])
}
