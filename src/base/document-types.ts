/**
 * What becomes of documents because of the mapping types that they have on the source (Elasticsearch before 7). Kept
 * with the target index, so that every way to it does the same to them.
 */
export type DocumentTypes = {
  /** Only documents of these types belong to the target index. null: all of the source index. */
  only: string[] | null
  /** The type goes into this field, and before the id, as `type#id`, so that no two documents get one. null: neither. */
  keepIn: string | null
  /** Documents without routing get the id that they had as routing, so that they stay in their shard under the new one. */
  routeById: boolean
  /** What `_parent` becomes. null: no type has one. */
  join: {
    /** The field of type `join`. */
    field: string
    /** Parent type of each child type. */
    parents: { [child: string]: string }
  } | null
}

/** Between type and id, or between an index and a type of it: neither name holds one. */
export const typeMark = '#'

/** The index of the source by the name that a part of it goes by, `index#type`; an index as a whole has its own name. */
export function sourceIndexOf(name: string): string {
  const at = name.indexOf(typeMark)
  return at < 0 ? name : name.slice(0, at)
}
