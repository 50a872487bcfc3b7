/** All devices: searched and filtered by the server, a page at a time. */

import { useEffect, useState } from 'preact/hooks'
import { ago, duration, plural, stored } from '../format'
import { Filters } from '../parts/filters'
import { Head } from '../parts/head'
import { Pager, usePages } from '../parts/pager'
import { Sparkline } from '../parts/sparkline'
import { Empty, Loaded, Problems } from '../parts/states'
import { useResource, withQuery } from '../resource'
import { go, href, type Route } from '../router'
import type { Attributes, Device, DevicePage } from '../types'

const SIZE = 25
const SHOWN_ATTRIBUTES = 2
const REFRESH_SECONDS = 5

export function Devices({ route }: { route: Route }) {
  const q = route.query.get('q') ?? ''
  const state = route.query.get('state') ?? 'all'
  const where = route.query.getAll('where')
  const asked = JSON.stringify([q, state, where])
  const pages = usePages(asked)
  const attributes = useResource<Attributes>('/api/v1/attributes', 60)
  const devices = useResource<DevicePage>(
    withQuery('/api/v1/devices', { q, state, where, limit: SIZE, cursor: pages.cursor }),
    REFRESH_SECONDS,
  )
  const names = (attributes.data?.attributes ?? [])
    .toSorted((a, b) => b.records - a.records || b.distinct - a.distinct)
    .slice(0, SHOWN_ATTRIBUTES)
    .map(({ name }) => name)
  return (
    <>
      <Head title="Devices" />
      <Filters view="devices" route={route} attributes={attributes.data}>
        <label>
          State
          <select value={state} onChange={(event) => change(route, event.currentTarget.value)}>
            <option value="all">all</option>
            <option value="reporting">reporting</option>
            <option value="silent">silent</option>
          </select>
        </label>
      </Filters>
      <Loaded resource={devices} lines={SIZE}>
        {(page) => (
          <>
            <Problems problems={page.problems} />
            {page.items.length === 0 ? (
              <Empty>No device is like that. {page.index.records === 0 && 'Nothing was stored in the last week.'}</Empty>
            ) : (
              <List items={page.items} names={names} />
            )}
            <Pager pages={pages} next={page.next} shown={page.items.length} size={SIZE} total={page.total} what="device" />
            <p class="foot">
              Searched {plural(page.index.records, 'device')}, read {duration(Math.round(page.index.age_seconds))} ago.
              {!page.index.complete && ' There are more than are searched.'}
            </p>
          </>
        )}
      </Loaded>
    </>
  )
}

function change(route: Route, state: string): void {
  const query = new URLSearchParams(route.query)
  if (state === 'all') query.delete('state')
  else query.set('state', state)
  go(`#/devices?${query}`, true)
}

function List({ items, names }: { items: Device[]; names: string[] }) {
  const now = useNow()
  return (
    <table class="list" role="table">
      <caption class="hidden">Devices with their latest readings</caption>
      <thead role="rowgroup">
        <tr role="row">
          <th scope="col" role="columnheader">Device</th>
          {names.map((name) => <th key={name} scope="col" role="columnheader">{name}</th>)}
          <th scope="col" role="columnheader">Latest</th>
          <th scope="col" role="columnheader">Last hour</th>
          <th scope="col" role="columnheader">Heard</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {items.map((device) => <Row key={device.id} device={device} names={names} now={now} />)}
      </tbody>
    </table>
  )
}

function Row({ device, names, now }: { device: Device; names: string[]; now: number }) {
  const spark = device.sparks[0]
  return (
    <tr role="row">
      <th scope="row" role="rowheader" title={device.id}><a href={href('devices', device.id)}>{device.id}</a></th>
      {names.map((name) => <td key={name} role="cell" data-name={name} title={device.attributes[name]}>{device.attributes[name] ?? '–'}</td>)}
      <td role="cell" data-name="Latest" class="values">
        {device.latest.flatMap(({ fields }) => Object.entries(fields)).slice(0, 3).map(([name, value], index) => (
          <span key={index}><small>{name}</small> {stored(value)}</span>
        ))}
        {device.latest.length === 0 && '–'}
      </td>
      <td role="cell" data-name="Last hour">{spark !== undefined && <Sparkline name={spark.field} values={spark.values} />}</td>
      <td role="cell" data-name="Heard" class="nowrap">
        <span class={`state ${device.reporting ? 'ok' : 'quiet'}`}>
          {device.reporting ? 'reporting' : 'silent'}
        </span>{' '}
        <small>{ago(device.last_seen_ms, now)}</small>
      </td>
    </tr>
  )
}

function useNow(): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}
