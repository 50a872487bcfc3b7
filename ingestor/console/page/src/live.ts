/** The figures as they come, a second apart, and whether the server is there. */

import { ask } from './http'
import { Problem } from './problem'
import { Store } from './store'
import type { Figures } from './types'

export type Connection = 'connecting' | 'live' | 'lost'

export const figures = new Store<Figures | null>(null)
export const connection = new Store<Connection>('connecting')
/** Counts how often the server came back: what depends on it is then read again. */
export const returns = new Store(0)

const LEAST_WAIT_SECONDS = 0.5
const MOST_WAIT_SECONDS = 10
const SILENCE_SECONDS = 20

/** Follow the figures until aborted; after a loss again, a little later each time. */
export async function follow(signal: AbortSignal): Promise<void> {
  let wait = LEAST_WAIT_SECONDS
  while (!signal.aborted) {
    try {
      await read(signal, () => {
        wait = LEAST_WAIT_SECONDS
      })
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return
    }
    if (signal.aborted) return
    connection.set('lost')
    await pause(wait * (0.75 + Math.random() / 2), signal)
    wait = Math.min(MOST_WAIT_SECONDS, wait * 1.6)
  }
}

async function read(signal: AbortSignal, heard: () => void): Promise<void> {
  const silence = new AbortController()
  const both = AbortSignal.any([signal, silence.signal])
  let timer = setTimeout(() => silence.abort(), SILENCE_SECONDS * 1000)
  try {
    const response = await ask('/api/v1/events', { headers: { Accept: 'text/event-stream' }, signal: both }, 0)
    const reader = (response.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      .getReader()
    let rest = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), SILENCE_SECONDS * 1000)
      const events = (rest + value.replaceAll('\r', '')).split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) take(event)
      heard()
    }
  } finally {
    clearTimeout(timer)
    silence.abort()
  }
}

function take(event: string): void {
  const lines = event.split('\n').filter((line) => line.startsWith('data:'))
  if (lines.length === 0) return
  figures.set(JSON.parse(lines.map((line) => line.slice(5)).join('\n')) as Figures)
  if (connection.value === 'lost') returns.set(returns.value + 1)
  connection.set('live')
}

/** Wait, but not longer than until the machine is online again or the page is looked at. */
function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer)
      removeEventListener('online', over)
      document.removeEventListener('visibilitychange', looked)
      signal.removeEventListener('abort', over)
      resolve()
    }
    const looked = () => {
      if (document.visibilityState === 'visible') over()
    }
    const timer = setTimeout(over, seconds * 1000)
    addEventListener('online', over)
    document.addEventListener('visibilitychange', looked)
    signal.addEventListener('abort', over)
  })
}
