/** A payload as text, with the place that a refusal points to. */

import type { Mark } from '../types'

export function Payload({ text, mark }: { text: string; mark: Mark | null }) {
  if (mark === null) return <pre class="code wrap" tabIndex={0} aria-label="Payload">{text}</pre>
  const marked = text.slice(mark.start, mark.end)
  return (
    <>
      <pre class="code wrap" tabIndex={0} aria-label="Payload">
        {text.slice(0, mark.start)}
        <mark title="Here">{marked === '' ? '⌃' : marked}</mark>
        {text.slice(mark.end)}
      </pre>
      <p class="more">The mark shows the place{mark.path !== '' && <>: <code>{mark.path}</code></>}.</p>
    </>
  )
}
