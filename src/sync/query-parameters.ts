const none: ReadonlyMap<string, string> = new Map()

/** The parameters of a query as the engines from 5.0 on read it: `;` parts them as `&` does. Of equal names the last counts. */
export function queryParameters(query: string): ReadonlyMap<string, string> {
  if (query === '') return none
  return new Map(new URLSearchParams(query.replaceAll(';', '&')))
}
