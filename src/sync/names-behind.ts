import type { SourceView } from './source-view.ts'

/** The indices that an alias or a data stream of the source stands for; put together anew when the view changes. */
export class NamesBehind {
  readonly #view: SourceView
  #byName: Map<string, string[]> | undefined

  constructor(view: SourceView) {
    this.#view = view
    view.onChange(() => (this.#byName = undefined))
  }

  of(name: string): readonly string[] {
    this.#byName ??= this.#read()
    return this.#byName.get(name) ?? []
  }

  #read(): Map<string, string[]> {
    const byName = new Map<string, string[]>()
    for (const { name: index, aliases, dataStream } of this.#view.indices()) {
      for (const name of [...aliases.keys(), ...(dataStream === undefined ? [] : [dataStream])]) {
        const indices = byName.get(name)
        if (indices === undefined) byName.set(name, [index])
        else indices.push(index)
      }
    }
    return byName
  }
}
