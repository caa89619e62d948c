/** Asks real engines the cases of the request rules: the source as it is, the target as it is translated, and as it is. */
import { parseVersion } from '../../src/cluster/version.ts'
import { askedSearches } from '../../src/compare/searches/answer-asked.ts'
import { compareAnswers } from '../../src/compare/searches/answer-comparison.ts'
import { notARead } from '../../src/compare/searches/send-search.ts'
import { parseAnswer, type SearchAnswer } from '../../src/compare/searches/search-request.ts'
import { casesOf, type WholeCase } from '../../src/transform/request/cases.ts'
import { requestRules } from '../../src/transform/request/table.ts'
import { createAnswerTranslator } from '../../src/transform/request/translate-answer.ts'
import {
  createRequestTranslator,
  type PlainRequest,
} from '../../src/transform/request/translate.ts'
import type { EngineFacts } from './engines.ts'

/** The cases between two versions that engines can be asked, `6.8 > 3.6`. */
export function askableCases(on: string): WholeCase[] {
  return casesOf(requestRules).filter((one) => one.case.on === on && one.case.untried === undefined)
}

export interface AskedEngines {
  readonly source: EngineFacts
  readonly target: EngineFacts
  /** The index that is called `shop` in the cases. */
  readonly index: string
}

/** What was otherwise than the cases say. */
export async function tryRequestCases(
  cases: readonly WholeCase[],
  { source, target, index }: AskedEngines,
): Promise<string[]> {
  const surprises: string[] = []
  for (const one of cases) {
    const note = (what: string): number => surprises.push(`${one.rule.name}, ${one.title}: ${what}`)
    const asked = named(one.before, index)
    const said = createRequestTranslator(one.context)(asked)
    const [ofSource, ofTarget] = [await ask(source, asked), await ask(target, said)]
    const back = createAnswerTranslator(one.context)
    const translated = { ...ofTarget, body: back(asked, ofTarget.body) }
    if (ofSource.status !== 200) note(`the source answers ${ofSource.status}: ${text(ofSource)}`)
    for (const finding of differences(asked, ofSource, translated)) note(finding)
    const expected = one.case.without ?? 'refused'
    const found = await untranslated(asked, ofSource, { target, back })
    if (found !== expected) note(`without the rule the answer is ${found}, not ${expected}`)
  }
  return surprises
}

/** What the target makes of the request as it was. */
async function untranslated(
  asked: PlainRequest,
  ofSource: SearchAnswer,
  {
    target,
    back,
  }: { target: EngineFacts; back: (request: PlainRequest, body: unknown) => unknown },
): Promise<'refused' | 'other' | 'same'> {
  const version = parseVersion('opensearch', target.version)!
  if (notARead({ version }, asked) !== undefined) return 'refused'
  const answer = await ask(target, asked)
  if (answer.status >= 400 && answer.status !== ofSource.status) return 'refused'
  const translated = { ...answer, body: back(asked, answer.body) }
  return differences(asked, ofSource, translated).length === 0 ? 'same' : 'other'
}

function differences(asked: PlainRequest, source: SearchAnswer, target: SearchAnswer): string[] {
  const { findings } = compareAnswers(source, target, { asked: askedSearches(asked) })
  return findings
    .filter(({ noise, what }) => noise === undefined && what !== 'scores')
    .slice(0, 3)
    .map(({ what, where, ...sides }) => `${what} ${where}: ${sides.source} / ${sides.target}`)
}

function named({ method, path, body }: PlainRequest, index: string): PlainRequest {
  const renamed = (text: string): string => text.replaceAll(/\bshop\b/g, index)
  return { method, path: renamed(path), ...(body !== undefined && { body: renamed(body) }) }
}

async function ask(
  engine: EngineFacts,
  { method, path, body }: PlainRequest,
): Promise<SearchAnswer> {
  const isLines = path.includes('_msearch')
  // What has a body is posted: fetch() sends none with GET.
  const answer = await fetch(engine.url + path, {
    method: body !== undefined && method === 'GET' ? 'POST' : method,
    ...(body !== undefined && {
      body,
      headers: { 'content-type': isLines ? 'application/x-ndjson' : 'application/json' },
    }),
  })
  const content = await answer.text()
  return { status: answer.status, body: parseAnswer(content), ms: 0, bytes: content.length }
}

function text({ body }: SearchAnswer): string {
  return JSON.stringify(body).slice(0, 200)
}
