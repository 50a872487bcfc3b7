/** What stands in a view's place while there is nothing to show, and why. */

import type { ComponentChildren } from 'preact'
import { Offline, Problem, words } from '../problem'
import type { Resource } from '../resource'

/** What `resource` holds, or that it is loading, failed or out of reach. `lines` keeps its room. */
export function Loaded<T>(props: {
  resource: Resource<T>
  lines?: number
  children: (data: T) => ComponentChildren
}) {
  const { data, error, reload } = props.resource
  if (data === null) {
    if (error !== null) return <ErrorBox error={error} retry={reload} />
    return <Loading lines={props.lines ?? 4} />
  }
  return (
    <>
      {error !== null && <p class="level warning" role="status">This is not up to date: {words(error)}</p>}
      {props.children(data)}
    </>
  )
}

export function Loading({ lines }: { lines: number }) {
  return (
    <div class="loading" aria-busy="true">
      <p class="hidden" role="status">Loading …</p>
      {Array.from({ length: lines }, (_, index) => <i key={index} />)}
    </div>
  )
}

export function ErrorBox({ error, retry }: { error: unknown; retry?: () => void }) {
  // Too busy, or not ready yet: that passes.
  const passes = error instanceof Offline || (error instanceof Problem && [429, 503].includes(error.status))
  return (
    <div class="box" role="alert">
      <p class={`level ${passes ? 'warning' : 'problem'}`}>
        {error instanceof Problem && error.detail !== '' ? <strong>{error.title}. </strong> : null}
        {words(error)}
        {passes && ' The page tries again by itself.'}
      </p>
      <Mistakes error={error} />
      {retry !== undefined && <button onClick={retry}>Try again</button>}
    </div>
  )
}

/** The single mistakes of what was sent, when the server lists them. */
export function Mistakes({ error }: { error: unknown }) {
  const listed = error instanceof Problem ? error.body['errors'] : null
  if (!Array.isArray(listed)) return null
  return (
    <ul class="mistakes">
      {(listed as { where: string; detail: string }[]).slice(0, 50).map(({ where, detail }, index) => (
        <li key={index}><code>{where}</code> {detail}</li>
      ))}
      {listed.length > 50 && <li>and {listed.length - 50} more</li>}
    </ul>
  )
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}

export function Problems({ problems }: { problems: string[] }) {
  return <>{problems.map((problem) => <p key={problem} class="level warning" role="status">{problem}</p>)}</>
}
