/** What was refused and why, what becomes of it now, and the way back or out. */

import { useState } from 'preact/hooks'
import { draft } from '../draft'
import { ago, count, moment, plural } from '../format'
import { askJson } from '../http'
import { Dialog } from '../parts/dialog'
import { Head } from '../parts/head'
import { Outcome } from '../parts/outcome'
import { Payload } from '../parts/payload'
import { Prose } from '../parts/prose'
import { Empty, ErrorBox, Loaded } from '../parts/states'
import { Problem } from '../problem'
import { useResource, withQuery } from '../resource'
import { go, href, type Route } from '../router'
import { useMay } from '../session'
import type { Counted, Done, Letter, LetterGroup, Letters, Selection } from '../types'

type Deed = 'replay' | 'purge'

interface Question {
  deed: Deed
  what: string
  selection: Selection
  counted: Counted
  changed: boolean
}

export function DeadLetters({ route }: { route: Route }) {
  const letters = useResource<Letters>('/api/v1/dead-letters', 15)
  const [question, setQuestion] = useState<Question | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [said, setSaid] = useState<Done | null>(null)
  const chosen = route.query.get('id')

  const ask = async (deed: Deed, what: string, selection: Selection) => {
    setError(null)
    setSaid(null)
    try {
      const { data: counted } = await askJson<Counted>('/api/v1/dead-letters/count', { method: 'POST', body: selection })
      setQuestion({ deed, what, selection, counted, changed: false })
    } catch (failure) {
      setError(failure)
    }
  }
  const act = async ({ deed, selection, counted, what }: Question) => {
    try {
      const body = { selection, count: counted.count, confirmation: counted.confirmation }
      const { data } = await askJson<Done>(`/api/v1/dead-letters/${deed}`, { method: 'POST', body })
      setQuestion(null)
      setSaid(data)
      if (chosen !== null) go(href('dead-letters'), true)
      letters.reload()
    } catch (failure) {
      if (failure instanceof Problem && failure.status === 409) {
        const { count: number, confirmation } = failure.body as unknown as Counted
        setQuestion({ deed, what, selection, counted: { count: number, confirmation, more: false }, changed: true })
      } else {
        setQuestion(null)
        setError(failure)
      }
    }
  }
  return (
    <>
      <Head title="Dead letters">
        <button onClick={letters.reload}>Look again</button>
      </Head>
      <div class="said" role="status">
        {said !== null && (
          <>
            {count(said.done)} of {plural(said.selected, 'letter')} done{said.left > 0 ? `, ${count(said.left)} left as they were.` : '.'}
            {said.notes.length > 0 && <ul>{said.notes.map((note) => <li key={note}>{note}</li>)}</ul>}
          </>
        )}
      </div>
      {error !== null && <ErrorBox error={error} />}
      <Loaded resource={letters} lines={8}>
        {(data) => (
          <>
            {data.groups.length === 0 ? (
              <Empty>{(data.waiting ?? 0) > 0 ? `${plural(data.waiting ?? 0, 'letter')} are there, but somebody else is looking at them. They come back within a minute.` : 'Nothing was refused.'}</Empty>
            ) : (
              <ul class="groups">
                {data.groups.map((group) => (
                  <Group key={`${group.stage} ${group.reason}`} group={group} chosen={chosen} ask={ask} />
                ))}
              </ul>
            )}
            <p class="foot">
              {plural(data.looked_at, 'letter')} looked at{data.waiting !== null && `, about ${count(data.waiting)} in the queue`}.
              {!data.complete && ' There are more than are looked at here.'}
            </p>
          </>
        )}
      </Loaded>
      {question !== null && <Confirm question={question} close={() => setQuestion(null)} act={() => act(question)} />}
    </>
  )
}

type Ask = (deed: Deed, what: string, selection: Selection) => Promise<void>

function Group({ group, chosen, ask }: { group: LetterGroup; chosen: string | null; ask: Ask }) {
  const name = `${group.stage ?? 'unknown'}: ${group.reason}`
  const selection = { stage: group.stage, reason: group.reason }
  return (
    <li class="card group">
      <div class="head">
        <h2>{group.stage !== null && <small>{group.stage} </small>}{group.reason} <span class="badge">{count(group.count)}</span></h2>
        <Deeds ask={(deed) => ask(deed, `all that were refused for ${name}`, selection)} label={name} />
      </div>
      <p class="more"><Prose text={group.hint} /> {group.newest_ms !== null && `The newest came ${ago(group.newest_ms)}.`}</p>
      <ul class="samples">
        {group.samples.map((sample) => (
          <li key={sample.id}>
            <a href={href('dead-letters', '', chosen === sample.id ? {} : { id: sample.id })} aria-expanded={chosen === sample.id}>{sample.detail || 'Without a detail'}</a>
            <small> {ago(sample.arrived_ms)}{sample.topic !== null && `, ${sample.topic}`}</small>
            {chosen === sample.id && <One id={sample.id} ask={ask} />}
          </li>
        ))}
      </ul>
      {group.count > group.samples.length && <p class="more">and {count(group.count - group.samples.length)} more like these</p>}
    </li>
  )
}

function Deeds({ ask, label }: { ask: (deed: Deed) => Promise<void>; label: string }) {
  const mayReplay = useMay('letters:replay')
  const mayPurge = useMay('letters:purge')
  return (
    <span class="actions">
      {mayReplay && <button aria-label={`Replay ${label}`} onClick={() => void ask('replay')}>Replay …</button>}{' '}
      {mayPurge && <button class="danger" aria-label={`Purge ${label}`} onClick={() => void ask('purge')}>Purge …</button>}
    </span>
  )
}

function One({ id, ask }: { id: string; ask: Ask }) {
  const letter = useResource<Letter>(withQuery('/api/v1/dead-letters/letter', { id }))
  return (
    <div class="letter">
      <Loaded resource={letter} lines={6}>
        {(data) => (
          <>
            <p class="more">Refused {moment(data.arrived_ms)} at <code>{data.stage ?? 'an unknown stage'}</code>. <Prose text={data.hint} /></p>
            {data.payload === null ? <Empty>The payload cannot be shown: {data.not_restorable}</Empty> : <Payload text={data.payload} mark={data.mark} />}
            {data.truncated && <p class="level warning">Only its beginning is shown.</p>}
            <h3>What the mapping in force makes of it now</h3>
            {data.now === null ? <Empty>That cannot be told.</Empty> : <Outcome outcome={data.now} />}
            <p class="answers">
              {data.payload !== null && <button onClick={() => tryIt(data)}>Try another mapping</button>}{' '}
              <Deeds ask={(deed) => ask(deed, 'this letter', { ids: [data.id] })} label="this letter" />
            </p>
          </>
        )}
      </Loaded>
    </div>
  )
}

function tryIt(letter: Letter): void {
  draft.set({ ...draft.value, payload: letter.payload ?? '', topic: '' })
  go(href('mapping'))
}

function Confirm({ question, close, act }: { question: Question; close: () => void; act: () => Promise<void> }) {
  const { deed, counted, what, changed } = question
  const [busy, setBusy] = useState(false)
  const go = async () => {
    setBusy(true)
    await act()
    setBusy(false)
  }
  const letters = plural(counted.count, 'letter')
  return (
    <Dialog title={deed === 'replay' ? `Replay ${letters}?` : `Purge ${letters}?`} close={close}>
      {changed && <p class="level warning" role="alert">The letters have changed meanwhile. It would be {letters} now.</p>}
      <p>{deed === 'replay'
        ? `The service gets ${what} again, in the order of the queue. What is refused again comes back here.`
        : `The queue forgets ${what}. Nobody can bring them back.`}</p>
      {counted.more && <p class="more">There are more than are taken at once: do it again afterwards.</p>}
      <p class="answers">
        <button onClick={close}>Cancel</button>{' '}
        <button class={deed === 'purge' ? 'danger' : 'primary'} disabled={busy || counted.count === 0} onClick={() => void go()}>
          {deed === 'replay' ? 'Replay' : 'Purge'} {letters}
        </button>
      </p>
    </Dialog>
  )
}
