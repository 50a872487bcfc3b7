/** One metadata record: look, edit, save unless somebody else was faster. */

import { useEffect, useState } from 'preact/hooks'
import { duration } from '../format'
import { askJson } from '../http'
import { Head } from '../parts/head'
import { Empty, ErrorBox, Loaded } from '../parts/states'
import { Problem } from '../problem'
import { useResource, withQuery } from '../resource'
import { go, href, type Route } from '../router'
import { useMay } from '../session'
import { TYPES, edited, mistake, typed, type Edited, type Type } from '../typed'
import type { Effect, Record as Kept, Refreshed, Saved } from '../types'

export function Record({ route }: { route: Route }) {
  const keys = { key: route.item, sort_key: route.query.get('sort_key') }
  const path = withQuery('/api/v1/metadata/record', keys)
  const isNew = route.query.get('add') === 'yes'
  const record = useResource<Kept>(isNew ? null : path)
  const name = keys.sort_key === null ? keys.key : `${keys.key} / ${keys.sort_key}`
  return (
    <>
      <Head title={name} up={{ href: href('metadata'), title: 'Metadata' }} />
      {isNew ? <Editor path={path} route={route} record={null} etag="" /> : (
        <Loaded resource={record} lines={8}>{(data) => <Editor path={path} route={route} record={data} etag={record.etag} />}</Loaded>
      )}
    </>
  )
}

interface Conflict {
  record: Kept
  etag: string
}

function Editor(props: { path: string; route: Route; record: Kept | null; etag: string }) {
  const mayWrite = useMay('metadata:write')
  const [base, setBase] = useState({ record: props.record, etag: props.etag })
  const [rows, setRows] = useState<Edited[]>(() => edited(props.record?.attributes ?? {}))
  const [error, setError] = useState<unknown>(null)
  const [conflict, setConflict] = useState<Conflict | null>(null)
  const [said, setSaid] = useState('')
  const [busy, setBusy] = useState(false)
  const changed = JSON.stringify(typed(rows)) !== JSON.stringify(base.record?.attributes ?? {})
  const mistakes = rows.map((row) => mistake(row, rows))

  // What somebody else has saved is shown, unless it would wipe out what is being edited.
  useEffect(() => {
    if (props.record === null || props.etag === base.etag || changed) return
    setBase({ record: props.record, etag: props.etag })
    setRows(edited(props.record.attributes))
  }, [props.etag])

  const edit = (index: number, change: Partial<Edited>) => {
    setSaid('')
    setRows(rows.map((row, each) => (each === index ? { ...row, ...change } : row)))
  }
  const show = (record: Kept, etag: string) => {
    setBase({ record, etag })
    setRows(edited(record.attributes))
    setConflict(null)
  }
  const save = async (etag: string) => {
    setBusy(true)
    setError(null)
    setConflict(null)
    try {
      const headers: Record<string, string> = etag === '' ? { 'If-None-Match': '*' } : { 'If-Match': etag }
      const { data, etag: now } = await askJson<Saved>(props.path, { method: 'PUT', body: { attributes: typed(rows) }, headers })
      show(data.record, now)
      setSaid(`Saved. ${effect(data.effect)}`)
      if (etag === '') go(href('metadata', props.route.item, { sort_key: props.route.query.get('sort_key') ?? '' }), true)
    } catch (failure) {
      if (failure instanceof Problem && failure.status === 412) {
        const theirs = await askJson<Kept>(props.path).catch(() => null)
        setConflict(theirs === null ? null : { record: theirs.data, etag: theirs.etag })
      }
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  const refresh = async () => {
    setError(null)
    try {
      const key = { key: props.route.item, sort_key: props.route.query.get('sort_key') }
      const { data } = await askJson<Refreshed>('/api/v1/metadata/refresh', { method: 'POST', body: { keys: [key] } })
      setSaid(`${data.dropped === 0 ? 'There was no copy here.' : 'The copy is dropped.'} ${effect(data.effect)}`)
    } catch (failure) {
      setError(failure)
    }
  }
  return (
    <form class="card record" aria-label="Record" onSubmit={(event) => { event.preventDefault(); void save(base.etag) }}>
      {rows.length === 0 && <Empty>It has no attributes yet.</Empty>}
      {rows.map((row, index) => (
        <Attribute key={index} row={row} number={index} fixed={!mayWrite} mistake={mistakes[index] ?? ''} edit={(change) => edit(index, change)}
          remove={() => { setSaid(''); setRows(rows.filter((_, each) => each !== index)) }} />
      ))}
      {conflict !== null && <Theirs conflict={conflict} take={() => { show(conflict.record, conflict.etag); setError(null) }} keep={() => void save(conflict.etag)} />}
      {error !== null && conflict === null && <ErrorBox error={error} />}
      <p class="said" role="status">{said}</p>
      {mayWrite && (
        <p class="answers">
          <button type="button" onClick={() => setRows([...rows, { name: '', type: 'S', text: '', kept: null }])}>Add an attribute</button>{' '}
          {base.record !== null && <button type="button" onClick={() => void refresh()}>Use it at once</button>}{' '}
          <button type="button" disabled={!changed} onClick={() => setRows(edited(base.record?.attributes ?? {}))}>Undo</button>{' '}
          <button class="primary" disabled={busy || mistakes.some((each) => each !== '') || (!changed && base.record !== null)}>Save</button>
        </p>
      )}
    </form>
  )
}

function effect({ here, other_tasks_within_seconds: seconds }: Effect): string {
  const within = `within ${duration(seconds)}`
  return here === 'at once'
    ? `The next readings get it here at once, in other tasks ${within}.`
    : `A part of this task did not answer: the next readings get it ${within}.`
}

function Attribute(props: {
  row: Edited
  number: number
  fixed: boolean
  mistake: string
  edit: (change: Partial<Edited>) => void
  remove: () => void
}) {
  const { row, edit, fixed } = props
  const which = row.name === '' ? `new attribute ${props.number + 1}` : row.name
  const id = `mistake-${props.number}`
  const value = { 'aria-label': `Value of ${which}`, 'aria-describedby': id, 'aria-invalid': props.mistake !== '' }
  return (
    <div class="attribute">
      <input aria-label={`Name of ${which}`} placeholder="name" value={row.name} readOnly={fixed} maxLength={255} onInput={(event) => edit({ name: event.currentTarget.value })} />
      <select aria-label={`Type of ${which}`} disabled={fixed || row.type === null} value={row.type ?? ''} onChange={(event) => edit({ type: event.currentTarget.value as Type, ...(event.currentTarget.value === 'BOOL' ? { text: 'true' } : {}) })}>
        {row.type === null && <option value="">other</option>}
        {Object.entries(TYPES).map(([type, words]) => <option key={type} value={type}>{words}</option>)}
      </select>
      {row.type === 'BOOL' ? (
        <select {...value} value={row.text} disabled={fixed} onChange={(event) => edit({ text: event.currentTarget.value })}>
          <option value="true">yes</option>
          <option value="false">no</option>
        </select>
      ) : row.type === 'SS' || row.type === 'NS' ? (
        <textarea {...value} rows={3} value={row.text} readOnly={fixed} onInput={(event) => edit({ text: event.currentTarget.value })} />
      ) : (
        <input {...value} value={row.text} readOnly={fixed || row.type === null} inputMode={row.type === 'N' ? 'decimal' : 'text'} onInput={(event) => edit({ text: event.currentTarget.value })} />
      )}
      {!fixed && <button type="button" aria-label={`Remove ${which}`} onClick={props.remove}>×</button>}
      <small id={id} class="bad">{props.mistake}</small>
    </div>
  )
}

function Theirs(props: { conflict: Conflict; take: () => void; keep: () => void }) {
  return (
    <div class="box" role="alert">
      <p class="level warning"><b>Somebody else has changed it.</b> This is the record now:</p>
      <dl class="pairs">
        {edited(props.conflict.record.attributes).map(({ name, text }) => <div key={name}><dt>{name}</dt><dd>{text}</dd></div>)}
      </dl>
      <p class="answers"><button type="button" onClick={props.take}>Take theirs</button> <button type="button" class="danger" onClick={props.keep}>Save mine over it</button></p>
    </div>
  )
}
