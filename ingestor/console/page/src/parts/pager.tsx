/** Pages that the server cuts: it gives a cursor for the next one, and the page keeps the way back. */

import { useState } from 'preact/hooks'
import { count, plural } from '../format'

export interface Pages {
  cursor: string
  number: number
  next: (cursor: string) => void
  back: () => void
}

/** `asked` is what is looked for: when that changes, the first page is shown. */
export function usePages(asked: string): Pages {
  const [way, setWay] = useState<{ asked: string; cursors: string[] }>({ asked, cursors: [] })
  const cursors = way.asked === asked ? way.cursors : []
  return {
    cursor: cursors.at(-1) ?? '',
    number: cursors.length,
    next: (cursor) => setWay({ asked, cursors: [...cursors, cursor] }),
    back: () => setWay({ asked, cursors: cursors.slice(0, -1) }),
  }
}

export function Pager(props: { pages: Pages; next: string | null; shown: number; size: number; total: number; what: string }) {
  const { pages, next } = props
  const first = pages.number * props.size + 1
  return (
    <nav class="pager" aria-label="Pages">
      <button disabled={pages.number === 0} onClick={pages.back}>Previous</button>
      <p role="status">
        {props.shown === 0 ? `No ${props.what}s` : `${count(first)} to ${count(first + props.shown - 1)} of ${plural(props.total, props.what)}`}
      </p>
      <button disabled={next === null} onClick={() => next !== null && pages.next(next)}>Next</button>
    </nav>
  )
}
