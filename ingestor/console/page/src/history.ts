/** The last minutes of the figures: what the server kept before the page was opened, then what came. */

import { figures } from './live'
import { Store } from './store'
import type { Curves, Figures } from './types'

export const SECONDS = 300
export const NAMES = ['received_per_s', 'stored_per_s', 'rejected_per_s', 'lag_p50_ms', 'lag_p99_ms', 'backlog'] as const

export interface History {
  times: number[]
  curves: Record<(typeof NAMES)[number], (number | null)[]>
}

type Point = Record<(typeof NAMES)[number], number | null>

const NOTHING: History = { times: [], curves: { received_per_s: [], stored_per_s: [], rejected_per_s: [], lag_p50_ms: [], lag_p99_ms: [], backlog: [] } }
export const history = new Store<History>(NOTHING)

figures.subscribe((now) => {
  if (now !== null) add(now.time_ms / 1000, point(now))
})

/** Put what the server kept in front of what has come since. */
export function prepend({ times, curves }: Curves): void {
  const { value } = history
  const first = value.times[0] ?? Infinity
  const kept = times.filter((time) => time < first).length
  history.set({
    times: [...times.slice(0, kept), ...value.times],
    curves: mapped((name) => [...(curves[name] ?? times.map(() => null)).slice(0, kept), ...value.curves[name]]),
  })
}

function add(time: number, figures: Point): void {
  const { times, curves } = history.value
  if (time <= (times.at(-1) ?? 0)) return
  const from = times.findIndex((each) => each > time - SECONDS - 10)
  const start = from < 0 ? times.length : from
  history.set({
    times: [...times.slice(start), time],
    curves: mapped((name) => [...curves[name].slice(start), figures[name]]),
  })
}

function point(now: Figures): Point {
  return {
    received_per_s: now.received_per_s,
    stored_per_s: now.stored_per_s,
    rejected_per_s: now.rejected_per_s,
    lag_p50_ms: now.lag.p50_ms,
    lag_p99_ms: now.lag.p99_ms,
    backlog: now.backlog,
  }
}

function mapped(values: (name: (typeof NAMES)[number]) => (number | null)[]): History['curves'] {
  return Object.fromEntries(NAMES.map((name) => [name, values(name)])) as History['curves']
}
