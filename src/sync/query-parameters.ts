const none: ReadonlyMap<string, string> = new Map()

/** The parameters of a query as the engines read it: `;` parts them as `&` does, and of equal names the last one counts. */
export function queryParameters(query: string): ReadonlyMap<string, string> {
  if (query === '') return none
  return new Map(new URLSearchParams(query.replaceAll(';', '&')))
}
