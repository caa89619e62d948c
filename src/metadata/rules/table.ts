import { analysisRules, similarityFieldRules } from './analysis-rules.ts'
import { dateRules, dynamicDateRules } from './date-rules.ts'
import { downgradeRules, fieldTypeRules, oldParameterRules } from './field-type-rules.ts'
import { rootRules } from './root-rules.ts'
import type { Rule } from './rule.ts'
import { settingRules } from './settings-rules.ts'
import { stringRules } from './string-rules.ts'
import { typeRules } from './type-rules.ts'
import { vectorRules, vectorSettingRules } from './vector-rules.ts'

/** All rules, in the order in which those of one kind are run. */
export const rules: readonly Rule[] = [
  ...typeRules,
  ...rootRules,
  ...dynamicDateRules,
  ...stringRules,
  ...dateRules,
  ...fieldTypeRules,
  ...oldParameterRules,
  ...similarityFieldRules,
  ...vectorRules,
  ...downgradeRules,
  ...vectorSettingRules,
  ...settingRules,
  ...analysisRules,
]
