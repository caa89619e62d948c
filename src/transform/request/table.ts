import { aggregationRules } from './aggregation-rules.ts'
import { dateRules } from './date-rules.ts'
import { indexNameRules } from './index-name-rules.ts'
import { oldQueryRules } from './old-query-rules.ts'
import { parameterRules } from './parameter-rules.ts'
import { pathRules } from './path-rules.ts'
import { queryParameterRules } from './query-parameter-rules.ts'
import type { RequestRule } from './rule.ts'
import { searchRules } from './search-rules.ts'
import { textQueryRules } from './text-query-rules.ts'
import { typeRules } from './type-rules.ts'

/** All request rules, in the order in which those of one place are run. */
export const requestRules: readonly RequestRule[] = [
  ...pathRules,
  ...parameterRules,
  ...oldQueryRules,
  ...textQueryRules,
  ...queryParameterRules,
  ...typeRules,
  ...aggregationRules,
  ...searchRules,
  ...dateRules,
  ...indexNameRules,
]
