/** Where the page is: the hash of its address, `#/view/item?name=value`. */

import { useEffect, useState } from 'preact/hooks'

export interface Route {
  view: string
  /** What of the view, decoded; empty for all of it. */
  item: string
  query: URLSearchParams
}

const HOME = 'overview'
const KEPT = 'view'

export function href(view: string, item = '', query: Record<string, string> = {}): string {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''))
  const tail = asked.size > 0 ? `?${asked}` : ''
  return `#/${view}${item === '' ? '' : `/${encodeURIComponent(item)}`}${tail}`
}

export function parse(hash: string): Route {
  const [path = '', query = ''] = split(hash.replace(/^#\/?/, ''), '?')
  const [view = '', item = ''] = split(path, '/')
  return { view: view || HOME, item: decoded(item), query: new URLSearchParams(query) }
}

/** Go there; with `replace` without a step in the browser's history. */
export function go(to: string, replace = false): void {
  if (replace) {
    history.replaceState(null, '', to)
    dispatchEvent(new HashChangeEvent('hashchange'))
  } else {
    location.hash = to
  }
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parse(location.hash))
  useEffect(() => {
    const changed = () => setRoute(parse(location.hash))
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return route
}

/** The view of the last visit, which is all that the page remembers. */
export function restoreView(known: readonly string[]): void {
  try {
    const kept = localStorage.getItem(KEPT)
    if (location.hash === '' && kept !== null && known.includes(kept)) go(href(kept), true)
  } catch {
    // A browser that keeps nothing opens the overview.
  }
}

export function keepView(view: string): void {
  try {
    localStorage.setItem(KEPT, view)
  } catch {
    // As above.
  }
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
