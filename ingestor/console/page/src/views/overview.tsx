/** Is the fleet heard, is anything stuck, was anything refused. */

import { useEffect } from 'preact/hooks'
import { count, figure, milliseconds, plural, duration } from '../format'
import { SECONDS, history, prepend, type History } from '../history'
import { figures } from '../live'
import { Chart } from '../parts/chart'
import { Head } from '../parts/head'
import { Loading } from '../parts/states'
import { useResource } from '../resource'
import { href } from '../router'
import { useSession } from '../session'
import { useStore } from '../store'
import type { Curves, Figures, Sentence } from '../types'

/** What a single task remembers by the second; what several have written to InfluxDB. */
const RECENT = '/api/v1/figures/recent'
const REPORTS = `/api/v1/figures/curves?from_ms=${Date.now() - SECONDS * 1000}&points=60`
const LEVELS = { ok: 'Well', warning: 'Look', problem: 'Trouble' }

export function Overview() {
  const now = useStore(figures)
  const { times, curves } = useStore(history)
  const session = useSession()
  const before = useResource<Curves>(now === null ? null : now.source === 'live' ? RECENT : REPORTS)
  useEffect(() => {
    if (before.data !== null) prepend(before.data)
  }, [before.data])
  const to = times.at(-1) ?? Date.now() / 1000
  const range = { times, from: to - SECONDS, to }
  return (
    <>
      <Head title="Overview">
        {session?.links.map(({ name, url }) => (
          <a key={name} class="button" href={url} target="_blank" rel="noreferrer">{name === 'grafana' ? 'Grafana' : 'Chronograf'} ↗</a>
        ))}
      </Head>
      {now === null ? <Loading lines={20} /> : <Now now={now} range={range} curves={curves} />}
      <p class="foot">
        {now !== null && `${plural(now.tasks, 'task')}, ${now.state}. ${now.source === 'live' ? 'Figures of this second.' : 'Figures of the last reports of all tasks.'}`}
        {session !== null && ` Version ${session.version}.`}
      </p>
    </>
  )
}

function Now({ now, range, curves }: { now: Figures; range: { times: number[]; from: number; to: number }; curves: History['curves'] }) {
  return (
    <>
      <Health sentences={now.health} />
      <Tiles now={now} />
      <div class="charts">
        <Chart {...range} zero title="Messages per second" format={figure} lines={[
          { label: 'received', tone: 'b', values: curves.received_per_s },
          { label: 'stored', tone: 'a', values: curves.stored_per_s },
        ]} />
        <Chart {...range} zero title="Lag from queue to store" format={milliseconds} lines={[
          { label: '99 %', tone: 'b', values: curves.lag_p99_ms },
          { label: 'half', tone: 'a', values: curves.lag_p50_ms },
        ]} />
        <Chart {...range} zero title="Messages waiting in the queue" format={figure} lines={[
          { label: 'waiting', tone: 'a', values: curves.backlog },
        ]} />
        <Chart {...range} zero title="Messages refused per second" format={figure} lines={[
          { label: 'refused', tone: 'b', values: curves.rejected_per_s },
        ]} />
      </div>
    </>
  )
}

function Health({ sentences }: { sentences: Sentence[] }) {
  return (
    <section class="health" aria-label="Health">
      {sentences.map(({ level, text }) => (
        <p key={text} class={`level ${level}`}><b>{LEVELS[level]}</b> {text}</p>
      ))}
    </section>
  )
}

function Tiles({ now }: { now: Figures }) {
  const devices = now.devices
  return (
    <dl class="tiles">
      <Tile name="Stored per second" value={figure(now.stored_per_s)} more={`${figure(now.received_per_s)} received`} to={href('pipeline')} />
      <Tile name="Lag, half within" value={milliseconds(now.lag.p50_ms)} more={`99 % within ${milliseconds(now.lag.p99_ms)}`} />
      <Tile name="Backlog" value={count(now.backlog)} more={`messages; ${count(now.in_flight)} in work`} to={href('pipeline')} />
      <Tile name="Devices reporting" value={count(devices?.reporting)} more={devices === null ? ' ' : `of ${count(devices.known)}`} to={href('devices', '', { state: 'reporting' })} />
      <Tile name="Devices silent" value={count(devices?.silent)} more={devices === null ? ' ' : `nothing for ${duration(devices.window_seconds)}`} to={href('devices', '', { state: 'silent' })} />
      <Tile name="Dead letters" value={count(now.dead_letters)} bad={(now.dead_letters ?? 0) > 0} more={`${figure(now.rejected_per_s)} refused/s`} to={href('dead-letters')} />
    </dl>
  )
}

function Tile(props: { name: string; value: string; more: string; to?: string; bad?: boolean }) {
  return (
    <div class="tile">
      <dt>{props.to === undefined ? props.name : <a href={props.to}>{props.name}</a>}</dt>
      <dd class={props.bad === true ? 'figure bad' : 'figure'}>{props.value}</dd>
      <dd class="more">{props.more}</dd>
    </div>
  )
}
