import { analysisComponentRules } from './analysis-component-rules.ts'
import { analysisParameterRules } from './analysis-parameter-rules.ts'
import { copiesRules } from './copies-rules.ts'
import { dateRules, dynamicDateRules } from './date-rules.ts'
import { denseVectorRules } from './dense-vector-rules.ts'
import { fieldParameterRules, oldParameterRules } from './field-parameter-rules.ts'
import { fieldTypeRules } from './field-type-rules.ts'
import { knnRules, knnSettingRules } from './knn-rules.ts'
import { metadataFieldRules } from './metadata-field-rules.ts'
import { rootRules } from './root-rules.ts'
import type { Rule } from './rule.ts'
import { runtimeRules } from './runtime-rules.ts'
import { settingsAtSwitchRules } from './settings-at-switch-rules.ts'
import { settingsOfIndexRules } from './settings-of-index-rules.ts'
import { settingsOfVersionsRules } from './settings-of-versions-rules.ts'
import { similarityFieldRules, similarityRules } from './similarity-rules.ts'
import { specialTypeRules } from './special-type-rules.ts'
import { stringRules } from './string-rules.ts'
import { typeRules } from './type-rules.ts'
import { unknownTypeRules } from './unknown-type-rules.ts'

/** All rules, in the order in which those of one kind are run. */
export const rules: readonly Rule[] = [
  ...typeRules,
  ...metadataFieldRules,
  ...rootRules,
  ...runtimeRules,
  ...dynamicDateRules,
  ...stringRules,
  ...dateRules,
  ...fieldTypeRules,
  ...specialTypeRules,
  ...fieldParameterRules,
  ...oldParameterRules,
  ...similarityFieldRules,
  ...denseVectorRules,
  ...knnRules,
  ...unknownTypeRules,
  ...knnSettingRules,
  ...settingsOfIndexRules,
  ...copiesRules,
  ...settingsAtSwitchRules,
  ...settingsOfVersionsRules,
  ...analysisComponentRules,
  ...analysisParameterRules,
  ...similarityRules,
]
