/** Search and filters of a list; they stand in the address, so that a link shows the same. */

import type { ComponentChildren } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import { count } from '../format'
import { go, type Route } from '../router'
import type { Attributes } from '../types'

const PAUSE_MS = 250

export function Filters(props: { view: string; route: Route; attributes: Attributes | null; children?: ComponentChildren }) {
  const { view, route, attributes } = props
  const kept = route.query.get('q') ?? ''
  const [q, setQ] = useState(kept)
  const [name, setName] = useState('')
  const values = useId()
  const where = route.query.getAll('where')
  const attribute = attributes?.attributes.find((each) => each.name === name)

  useEffect(() => {
    if (q === kept) return
    const timer = setTimeout(() => show(view, route, (query) => (q === '' ? query.delete('q') : query.set('q', q))), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [q])

  const filter = (value: string) => {
    if (name === '' || value === '') return
    show(view, route, (query) => query.append('where', `${name}=${value}`))
    setName('')
  }
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label class="wide">
        Search
        <input type="search" value={q} maxLength={200} placeholder="part of a key or a value" onInput={(event) => setQ(event.currentTarget.value)} />
      </label>
      {props.children}
      <label>
        Attribute
        <select value={name} onChange={(event) => setName(event.currentTarget.value)}>
          <option value="">any</option>
          {attributes?.attributes.map((each) => <option key={each.name}>{each.name}</option>)}
        </select>
      </label>
      <label>
        Value
        <input key={name} list={values} disabled={name === ''} onChange={(event) => filter(event.currentTarget.value)} />
      </label>
      <datalist id={values}>
        {attribute?.values.map(({ value, count: number }) => <option key={value} value={value}>{`${value} (${count(number)})`}</option>)}
      </datalist>
      {where.length > 0 && (
        <ul class="chips" aria-label="Filters in force">
          {where.map((each) => (
            <li key={each}>
              {each}
              <button type="button" aria-label={`Remove the filter ${each}`} onClick={() => show(view, route, (query) => query.delete('where', each))}>×</button>
            </li>
          ))}
        </ul>
      )}
    </form>
  )
}

function show(view: string, route: Route, change: (query: URLSearchParams) => void): void {
  const query = new URLSearchParams(route.query)
  change(query)
  go(query.size === 0 ? `#/${view}` : `#/${view}?${query}`, true)
}
