/** All metadata records: look, add, import, export. */

import { useRef, useState } from 'preact/hooks'
import { count, duration, plural } from '../format'
import { askJson, download } from '../http'
import { Dialog } from '../parts/dialog'
import { Filters } from '../parts/filters'
import { Head } from '../parts/head'
import { Pager, usePages } from '../parts/pager'
import { Empty, ErrorBox, Loaded } from '../parts/states'
import { useResource, withQuery } from '../resource'
import { go, href, type Route } from '../router'
import { useMay } from '../session'
import type { Attributes, Imported, RecordPage } from '../types'

const SIZE = 50
const SHOWN_ATTRIBUTES = 4

export function Metadata({ route }: { route: Route }) {
  const q = route.query.get('q') ?? ''
  const where = route.query.getAll('where')
  const pages = usePages(JSON.stringify([q, where]))
  const attributes = useResource<Attributes>('/api/v1/attributes', 60)
  const records = useResource<RecordPage>(withQuery('/api/v1/metadata', { q, where, limit: SIZE, cursor: pages.cursor }), 15)
  const [error, setError] = useState<unknown>(null)
  const [adding, setAdding] = useState(false)
  const [file, setFile] = useState<File | null>(null)
  const mayWrite = useMay('metadata:write')
  const names = (attributes.data?.attributes ?? [])
    .toSorted((a, b) => b.records - a.records || b.distinct - a.distinct)
    .slice(0, SHOWN_ATTRIBUTES)
    .map(({ name }) => name)
  const save = () => {
    setError(null)
    download(withQuery('/api/v1/metadata/export.csv', { q, where }), 'metadata.csv', 'text/csv').catch(setError)
  }
  return (
    <>
      <Head title="Metadata">
        {mayWrite && <button class="primary" onClick={() => setAdding(true)}>Add a record</button>}
        {mayWrite && <Picker take={setFile} />}
        <button onClick={save}>Export CSV</button>
      </Head>
      {error !== null && <ErrorBox error={error} />}
      <Filters view="metadata" route={route} attributes={attributes.data} />
      <Loaded resource={records} lines={SIZE}>
        {(page) => (
          <>
            {page.items.length === 0 ? <Empty>No record is like that. {page.index.records === 0 && 'The table is empty: add a record, or import a file.'}</Empty> : (
              <table class="list" role="table">
                <caption class="hidden">Metadata records</caption>
                <thead role="rowgroup">
                  <tr role="row">
                    <th scope="col" role="columnheader">{attributes.data?.key_attribute ?? 'key'}</th>
                    {names.map((name) => <th key={name} scope="col" role="columnheader">{name}</th>)}
                    <th scope="col" role="columnheader">Others</th>
                  </tr>
                </thead>
                <tbody role="rowgroup">
                  {page.items.map(({ key, sort_key, attributes: all }) => (
                    <tr key={`${key} ${sort_key}`} role="row">
                      <th scope="row" role="rowheader" title={key}><a href={href('metadata', key, { sort_key: sort_key ?? '' })}>{key}{sort_key !== null && ` / ${sort_key}`}</a></th>
                      {names.map((name) => <td key={name} role="cell" data-name={name} title={all[name]}>{all[name] ?? '–'}</td>)}
                      <td role="cell" data-name="Others">{count(Object.keys(all).filter((name) => !names.includes(name)).length)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
            <Pager pages={pages} next={page.next} shown={page.items.length} size={SIZE} total={page.total} what="record" />
            <p class="foot">Searched {plural(page.index.records, 'record')}, read {duration(Math.round(page.index.age_seconds))} ago.</p>
          </>
        )}
      </Loaded>
      {adding && <Add close={() => setAdding(false)} hasSort={attributes.data?.sort_attribute != null} />}
      {file !== null && <Import file={file} close={() => setFile(null)} done={records.reload} />}
    </>
  )
}

function Picker({ take }: { take: (file: File) => void }) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button onClick={() => input.current?.click()}>Import CSV</button>
      <input ref={input} class="hidden" type="file" accept=".csv,text/csv" tabIndex={-1} aria-label="CSV file to import"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? []
          if (file !== undefined) take(file)
          event.currentTarget.value = ''
        }} />
    </>
  )
}

function Add({ close, hasSort }: { close: () => void; hasSort: boolean }) {
  const [key, setKey] = useState('')
  const [sort, setSort] = useState('')
  return (
    <Dialog title="Add a record" close={close}>
      <form onSubmit={(event) => { event.preventDefault(); close(); go(href('metadata', key, { sort_key: sort, add: 'yes' })) }}>
        <label>Key <input required maxLength={2048} value={key} onInput={(event) => setKey(event.currentTarget.value)} /></label>
        {hasSort && <label>Sort key <input required maxLength={1024} value={sort} onInput={(event) => setSort(event.currentTarget.value)} /></label>}
        <p class="more">The key as the devices send it.</p>
        <p class="answers"><button type="button" onClick={close}>Cancel</button> <button class="primary">Go on</button></p>
      </form>
    </Dialog>
  )
}

/** First what the file would do, then the question, then the doing. */
function Import({ file, close, done }: { file: File; close: () => void; done: () => void }) {
  const [checked, setChecked] = useState<Imported | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const send = async (dry: boolean) => {
    setBusy(true)
    setError(null)
    try {
      const raw = { text: await file.text(), type: 'text/csv' }
      const { data } = await askJson<Imported>(`/api/v1/metadata/import?dry_run=${dry}`, { method: 'POST', raw })
      setChecked(data)
      if (!dry) done()
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  const started = useRef(false)
  if (!started.current) {
    started.current = true
    void send(true)
  }
  const over = checked !== null && !checked.dry_run
  return (
    <Dialog title={`Import ${file.name}`} close={close}>
      {error !== null && <ErrorBox error={error} />}
      {checked === null && error === null && <p role="status">Checking the file …</p>}
      {checked !== null && (
        <>
          <p role="status">
            {over
              ? `Imported ${plural(checked.rows, 'row')}: ${count(checked.created)} new, ${count(checked.changed)} changed, ${count(checked.unchanged)} as they were.`
              : `${plural(checked.rows, 'row')}, and no mistake in them. Records that are there are changed.`}
            {over && ` Other tasks use it within ${duration(checked.effect.other_tasks_within_seconds)}.`}
          </p>
          {checked.failed.length > 0 && <ul class="mistakes">{checked.failed.map(({ where, detail }) => <li key={where}><code>{where}</code> {detail}</li>)}</ul>}
        </>
      )}
      <p class="answers">
        <button onClick={close}>{over ? 'Close' : 'Cancel'}</button>{' '}
        {!over && <button class="primary" disabled={busy || checked === null || error !== null} onClick={() => void send(false)}>Import</button>}
      </p>
    </Dialog>
  )
}
