import { kind } from '../state/store.ts'
import type { TemplateKind } from './plan.ts'

/** Settings kept off a template of the target until the switch. Key: `kind/name`. */
export type WithheldTemplate = {
  template: TemplateKind
  name: string
  settings: { [setting: string]: string }
}
export const withheldTemplateKind = kind<WithheldTemplate>('withheld-template')
