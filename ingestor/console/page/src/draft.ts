/** What is being tried in the Mapping view, kept while one looks elsewhere; a reload forgets it. */

import { Store } from './store'

export interface Draft {
  payload: string
  topic: string
  /** Null for the mapping in force. */
  mapping: string | null
}

export const draft = new Store<Draft>({ payload: '', topic: '', mapping: null })
