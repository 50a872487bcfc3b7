/** Something read from the server, with the states that reading it can be in. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { askJson } from './http'
import { returns } from './live'
import { useStore } from './store'

export interface Resource<T> {
  data: T | null
  etag: string
  error: unknown
  loading: boolean
  reload: () => void
}

const AGAIN_SECONDS = 5

/**
 * What this path answers, null for nothing yet. The last good answer stays while a newer one is
 * read, also after a failure; after a failure and every `everySeconds` it is read again, and at once
 * when the server has come back.
 */
export function useResource<T>(path: string | null, everySeconds = 0): Resource<T> {
  const [state, setState] = useState<{ path: string | null; data: T | null; etag: string; error: unknown; loading: boolean }>({
    path,
    data: null,
    etag: '',
    error: null,
    loading: path !== null,
  })
  const [asked, setAsked] = useState(0)
  const back = useStore(returns)
  const shown = useRef(path)
  useEffect(() => {
    if (path === null) {
      setState({ path, data: null, etag: '', error: null, loading: false })
      return
    }
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const again = (seconds: number) => {
      if (seconds > 0) timer = setTimeout(() => setAsked((number) => number + 1), seconds * 1000)
    }
    setState((before) => ({ ...before, loading: true }))
    askJson<T>(path, { signal: abort.signal }).then(
      ({ data, etag }) => {
        shown.current = path
        setState({ path, data, etag, error: null, loading: false })
        again(everySeconds)
      },
      (error: unknown) => {
        if (abort.signal.aborted) return
        setState((before) => ({ ...before, data: shown.current === path ? before.data : null, error, loading: false }))
        again(everySeconds || AGAIN_SECONDS)
      },
    )
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [path, asked, back, everySeconds])
  const reload = useCallback(() => setAsked((number) => number + 1), [])
  return { data: state.data, etag: state.etag, error: state.error, loading: state.loading, reload }
}

/** A path with a query of what is not empty; lists are repeated. */
export function withQuery(path: string, query: Record<string, string | number | null | undefined | string[]>): string {
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each != null && each !== '') asked.append(name, String(each))
    }
  }
  return asked.size === 0 ? path : `${path}?${asked}`
}
