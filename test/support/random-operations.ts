/** Bulk bodies of random operations on few documents: index, create, update, delete, some with routing; by a seed. */
export function randomOperations({
  seed,
  index,
  count,
  ids = 800,
  perBody = 400,
  isTyped = false,
}: {
  seed: number
  index: string
  count: number
  ids?: number
  perBody?: number
  /** Before 7. */
  isTyped?: boolean
}): string[] {
  let state = seed | 0
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 8) % below
  }
  const bodies: string[] = []
  for (let done = 0; done < count; done += perBody) {
    let body = ''
    for (let i = 0; i < Math.min(perBody, count - done); i++) {
      const id = random(ids)
      const about = JSON.stringify({
        _index: index,
        _id: String(id),
        ...(isTyped && { _type: 'doc' }),
        ...(id % 5 === 0 && { routing: `r${id % 7}` }),
      })
      const n = done + i
      const action = random(10)
      if (action < 5) body += `{"index":${about}}\n{"n":${n}}\n`
      else if (action < 7) body += `{"create":${about}}\n{"n":${n}}\n`
      else if (action < 9) body += `{"update":${about}}\n{"doc":{"m":${n}}}\n`
      else body += `{"delete":${about}}\n`
    }
    bodies.push(body)
  }
  return bodies
}
