/** Requests to the server that the page came from, with the token of who is signed in. */

import { signedOut, token } from './auth'
import { Offline, problemOf } from './problem'

const SECONDS = 20

export interface Asked {
  method?: string
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it is, with its type. */
  raw?: { text: string; type: string }
  headers?: Record<string, string>
  signal?: AbortSignal
}

export interface Answer<T> {
  data: T
  /** The version of what was read, for `If-Match`; empty when there is none. */
  etag: string
}

/** The response when it is a good one; throws Problem or Offline otherwise. */
export async function ask(path: string, asked: Asked = {}, seconds = SECONDS): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...asked.headers }
  const bearer = await token()
  if (bearer !== null) headers['Authorization'] = `Bearer ${bearer}`
  let body: string | null = null
  if (asked.raw !== undefined) {
    headers['Content-Type'] = asked.raw.type
    body = asked.raw.text
  } else if (asked.body !== undefined) {
    headers['Content-Type'] = 'application/json'
    body = JSON.stringify(asked.body)
  }
  const signals = asked.signal === undefined ? [] : [asked.signal]
  if (seconds > 0) signals.push(AbortSignal.timeout(seconds * 1000))
  let response: Response
  try {
    response = await fetch(path, {
      method: asked.method ?? 'GET',
      headers,
      body,
      signal: AbortSignal.any(signals),
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
    })
  } catch (error) {
    if (asked.signal?.aborted === true) throw error
    throw new Offline()
  }
  if (response.status === 401) signedOut()
  if (!response.ok) throw await problemOf(response)
  return response
}

export async function askJson<T>(path: string, asked: Asked = {}): Promise<Answer<T>> {
  const response = await ask(path, asked)
  const data = response.status === 204 ? (undefined as T) : ((await response.json()) as T)
  return { data, etag: response.headers.get('ETag') ?? '' }
}

/** Let the browser save what this path answers under this name. */
export async function download(path: string, name: string, type: string): Promise<void> {
  const response = await ask(path, { headers: { Accept: type } }, 300)
  const url = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
