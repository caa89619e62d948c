/** What an applier has done since it was made, and what it holds. */
export interface ApplierFigures {
  /** Changes that came. */
  taken: number
  /** Of these put to another one of the same document that waited. */
  coalesced: number
  /** Of these left out, since the snapshot holds what they did. */
  inSnapshot: number
  /** Documents that were read from the source. */
  readBack: number
  /** Of these there was nothing to be done about. */
  foundNothing: number
  /** Items that the target took, deletes among them. */
  written: number
  /** Items of which the target held a newer version. */
  conflicts: number
  deadLetters: number
  /** Changes that were left to the audit, their index being given up or waiting. */
  left: number
  bulks: number
  bytesSent: number
  heldDocuments: number
  heldBytes: number
}

export function noFigures(): ApplierFigures {
  return {
    ...{
      taken: 0,
      coalesced: 0,
      inSnapshot: 0,
      readBack: 0,
      foundNothing: 0,
      written: 0,
      conflicts: 0,
    },
    ...{ deadLetters: 0, left: 0, bulks: 0, bytesSent: 0, heldDocuments: 0, heldBytes: 0 },
  }
}
