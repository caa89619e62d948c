/**
 * A request as a command line for a shell, without any login. `base` is a URL, or a variable such as `$SOURCE`. Tabs of the body are
 * made blanks: in JSON they are nothing else, and reports show them by number.
 */
export function curlCommand(
  base: string,
  { method, path, body }: { method: string; path: string; body: string | null },
): string {
  const url = `${base.replace(/\/$/, '')}${path.startsWith('/') ? path : `/${path}`}`
  const address = base.startsWith('$') ? `"${base}"${quoted(url.slice(base.length))}` : quoted(url)
  const asked = method === 'HEAD' ? '-I' : `-X ${method}`
  if (body === null || body === '') return `curl ${asked} ${address}`
  const isLines = /\/_msearch(\/|\?|$)/.test(path)
  const type = isLines ? 'application/x-ndjson' : 'application/json'
  return `curl ${asked} ${address} -H 'content-type: ${type}' --data-binary ${quoted(body.replace(/[\t\r]/g, ' '))}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
