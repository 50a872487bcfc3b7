/** One device: its curves over a range, its metadata, its last readings. */

import { useMemo, useState } from 'preact/hooks'
import { ago, clock, figure, moment, stored } from '../format'
import { download } from '../http'
import { Chart } from '../parts/chart'
import { Head } from '../parts/head'
import { Empty, ErrorBox, Loaded } from '../parts/states'
import { useResource, withQuery } from '../resource'
import { go, href, type Route } from '../router'
import type { DeviceDetail, DeviceSeries } from '../types'

const RANGES = [
  ['15m', '15 min', 900],
  ['1h', '1 h', 3600],
  ['6h', '6 h', 21_600],
  ['24h', '24 h', 86_400],
  ['7d', '7 days', 604_800],
] as const
const REFRESH_SECONDS = 5

export function Device({ route }: { route: Route }) {
  const id = route.item
  const detail = useResource<DeviceDetail>(withQuery('/api/v1/device', { id }), REFRESH_SECONDS)
  const key = detail.data?.key ?? null
  return (
    <>
      <Head title={id} up={{ href: href('devices'), title: 'Devices' }}>
        {key !== null && <a class="button" href={href('metadata', key, { sort_key: detail.data?.sort_key ?? '' })}>Metadata</a>}
      </Head>
      <Loaded resource={detail} lines={12}>
        {(device) => (
          <>
            <State device={device} />
            {device.latest.length === 0 ? <Empty>Nothing of this device is stored yet.</Empty> : <Curves device={device} route={route} />}
            <div class="columns">
              <Attributes device={device} />
              <Last device={device} />
            </div>
          </>
        )}
      </Loaded>
    </>
  )
}

function State({ device }: { device: DeviceDetail }) {
  return (
    <p class="summary">
      <span class={`state ${device.reporting ? 'ok' : 'quiet'}`}>{device.reporting ? 'reporting' : 'silent'}</span>{' '}
      last reading {ago(device.last_seen_ms)}
      {device.latest.flatMap(({ measurement, fields }) => Object.entries(fields).map(([name, value]) => (
        <span key={`${measurement} ${name}`} class="value">{name} <b>{stored(value)}</b></span>
      )))}
    </p>
  )
}

function Curves({ device, route }: { device: DeviceDetail; route: Route }) {
  const measurements = device.latest.map(({ measurement }) => measurement)
  const measurement = route.query.get('measurement') ?? measurements[0] ?? ''
  const range = RANGES.find(([name]) => name === route.query.get('range')) ?? RANGES[0]
  const [part, setPart] = useState<[number, number] | null>(null)
  const [from, to] = useMemo(() => part ?? [Date.now() / 1000 - range[2], Date.now() / 1000], [part, range, device.last_seen_ms])
  const query = { id: device.id, measurement, from_ms: Math.floor(from * 1000), to_ms: Math.ceil(to * 1000) }
  const series = useResource<DeviceSeries>(withQuery('/api/v1/device/series', { ...query, points: 300 }))
  const [error, setError] = useState<unknown>(null)
  const show = (name: string, value: string) => {
    const asking = new URLSearchParams(route.query)
    asking.set(name, value)
    setPart(null)
    go(`#/devices/${encodeURIComponent(device.id)}?${asking}`, true)
  }
  const save = () => {
    setError(null)
    download(withQuery('/api/v1/device/series.csv', query), `${device.id}-${measurement}.csv`, 'text/csv').catch(setError)
  }
  return (
    <section aria-label="Curves">
      <div class="tools">
        <fieldset class="choice">
          <legend class="hidden">Range</legend>
          {RANGES.map(([name, words]) => (
            <label key={name}>
              <input type="radio" name="range" checked={part === null && name === range[0]} onChange={() => show('range', name)} />
              <span>{words}</span>
            </label>
          ))}
        </fieldset>
        {part !== null && <button onClick={() => setPart(null)}>Whole range</button>}
        {measurements.length > 1 && (
          <label>
            Measurement
            <select value={measurement} onChange={(event) => show('measurement', event.currentTarget.value)}>
              {measurements.map((each) => <option key={each}>{each}</option>)}
            </select>
          </label>
        )}
        <button onClick={save}>Download CSV</button>
      </div>
      {error !== null && <ErrorBox error={error} />}
      <Loaded resource={series} lines={9}>
        {(data) => (
          <>
            <div class="charts">
              {Object.entries(data.fields).map(([field, curve]) => (
                <Chart key={field} title={field} times={data.times} from={from} to={to} format={figure} onSelect={(a, b) => setPart([a, b])}
                  lines={[{ label: 'mean', tone: 'a', values: curve.mean, least: curve.min, most: curve.max }]} />
              ))}
            </div>
            <Figures data={data} />
          </>
        )}
      </Loaded>
    </section>
  )
}

/** The curves as a table, for whoever does not see them. */
function Figures({ data }: { data: DeviceSeries }) {
  const fields = Object.entries(data.fields)
  const rows = data.times
    .map((time, index) => ({ time, means: fields.map(([, { mean }]) => mean[index] ?? null) }))
    .filter(({ means }) => means.some((value) => value !== null))
    .slice(-60)
    .toReversed()
  const [open, setOpen] = useState(false)
  return (
    <details class="figures" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {open && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Figures">
          <table>
            <caption>Means of {data.step_seconds} s, the last {rows.length} that have readings</caption>
            <thead><tr><th scope="col">Time</th>{fields.map(([name]) => <th key={name} scope="col" class="number">{name}</th>)}</tr></thead>
            <tbody>
              {rows.map(({ time, means }) => (
                <tr key={time}><th scope="row">{clock(time * 1000)}</th>{means.map((value, index) => <td key={index} class="number">{figure(value)}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}

function Attributes({ device }: { device: DeviceDetail }) {
  const tags = Object.entries(device.record?.tags ?? {})
  return (
    <section class="card" aria-labelledby="attributes">
      <h2 id="attributes">Metadata</h2>
      {tags.length === 0 ? <Empty>Its readings name no record, or nothing in it becomes a tag.</Empty> : (
        <dl class="pairs">{tags.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      )}
    </section>
  )
}

function Last({ device }: { device: DeviceDetail }) {
  return (
    <section class="card" aria-labelledby="last">
      <h2 id="last">Last readings, as they are stored</h2>
      {device.latest.map(({ measurement, time_ms }) => <p key={measurement} class="more">{measurement}: {moment(time_ms)}</p>)}
      {device.last_lines.length === 0 ? <Empty>None.</Empty> : <pre class="code wrap" tabIndex={0}>{device.last_lines.join('\n')}</pre>}
      <p class="more">{device.last_payload_note}</p>
    </section>
  )
}
