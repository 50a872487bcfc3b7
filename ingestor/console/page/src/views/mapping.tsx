/** The mapping in force, and a place to try payloads with it or with another one. */

import { useState } from 'preact/hooks'
import { draft, type Draft } from '../draft'
import { askJson } from '../http'
import { Head } from '../parts/head'
import { Outcome } from '../parts/outcome'
import { Payload } from '../parts/payload'
import { ErrorBox, Loaded } from '../parts/states'
import { useResource } from '../resource'
import type { Route } from '../router'
import { useStore } from '../store'
import type { MappingInfo, Outcome as Made, RouteInfo } from '../types'

export function Mapping(_: { route: Route }) {
  const mapping = useResource<MappingInfo>('/api/v1/mapping', 30)
  return (
    <>
      <Head title="Mapping" />
      <Loaded resource={mapping} lines={20}>
        {(info) => (
          <>
            <Trial info={info} />
            <section aria-labelledby="routes">
              <h2 id="routes">Routes in force</h2>
              <p class="more">The first route that takes a reading makes its line. Version <code>{info.version}</code>.</p>
              {info.routes.map((route) => <One key={route.name} route={route} />)}
              <details><summary>The text of the mapping</summary><pre class="code" tabIndex={0}>{info.text}</pre></details>
            </section>
          </>
        )}
      </Loaded>
    </>
  )
}

function Trial({ info }: { info: MappingInfo }) {
  const trial = useStore(draft)
  const [outcome, setOutcome] = useState<{ made: Made; payload: string } | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [said, setSaid] = useState('')
  const [busy, setBusy] = useState(false)
  const change = (part: Partial<Draft>) => draft.set({ ...draft.value, ...part })
  const run = async () => {
    setBusy(true)
    setError(null)
    try {
      const body = {
        payload: trial.payload,
        ...(trial.topic === '' ? {} : { topic: trial.topic }),
        ...(trial.mapping === null ? {} : { mapping: trial.mapping }),
      }
      const { data } = await askJson<Made>('/api/v1/mapping/try', { method: 'POST', body })
      setOutcome({ made: data, payload: trial.payload })
    } catch (failure) {
      setError(failure)
      setOutcome(null)
    } finally {
      setBusy(false)
    }
  }
  const copy = async (text: string) => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid('Copied.')
    } catch {
      setSaid('The browser does not allow it: select the text and copy it.')
    }
  }
  const text = trial.mapping
  return (
    <section class="card trial" aria-labelledby="try">
      <h2 id="try">Try a payload</h2>
      <form onSubmit={(event) => { event.preventDefault(); void run() }}>
        <label class="wide">Payload
          <textarea required rows={6} spellcheck={false} value={trial.payload} onInput={(event) => change({ payload: event.currentTarget.value })} />
        </label>
        <label>Topic
          <input value={trial.topic} maxLength={256} placeholder="empty: it is the message in the queue" onInput={(event) => change({ topic: event.currentTarget.value })} />
        </label>
        <label class="check">
          <input type="checkbox" checked={text !== null} onChange={(event) => change({ mapping: event.currentTarget.checked ? info.text : null })} />
          With another mapping
        </label>
        {text !== null && (
          <>
            <label class="wide">Mapping
              <textarea rows={16} spellcheck={false} value={text} onInput={(event) => { setSaid(''); change({ mapping: event.currentTarget.value }) }} />
            </label>
            <p class="more">
              Nothing here changes the service. To put a mapping in force, set it as <code>INGESTOR_MAPPING</code> or in the file of{' '}
              <code>INGESTOR_MAPPING_FILE</code>, and start the service again.
            </p>
          </>
        )}
        <p class="answers">
          {text !== null && <button type="button" onClick={() => void copy(text)}>Copy the mapping</button>}{' '}
          <button class="primary" disabled={busy || trial.payload === ''}>Try</button>
        </p>
        <p class="said" role="status">{said}</p>
      </form>
      {error !== null && <ErrorBox error={error} />}
      {outcome !== null && (
        <>
          <Outcome outcome={outcome.made} />
          {outcome.made.mark !== null && <Payload text={outcome.payload} mark={outcome.made.mark} />}
        </>
      )}
    </section>
  )
}

function One({ route }: { route: RouteInfo }) {
  const where = Object.entries(route.where).map(([name, values]) => `${name} is ${values.join(' or ')}`)
  return (
    <article class="card route" aria-label={`Route ${route.name}`}>
      <h3>{route.name}</h3>
      <dl class="pairs">
        <Pair name="Takes">{[route.topics.length === 0 ? 'every topic' : route.topics.join(', '), ...where].join('; ')}</Pair>
        <Pair name="Measurement"><code>{route.measurement}</code></Pair>
        {Object.entries(route.tags).map(([name, words]) => <Pair key={name} name={`Tag ${name}`}>{words}</Pair>)}
        {Object.entries(route.fields).map(([name, words]) => <Pair key={name} name={`Field ${name}`}>{words}</Pair>)}
        <Pair name="Metadata">{route.metadata === null ? 'none' : `${route.metadata}; without a record: ${route.missing ?? 'as the mapping says'}`}</Pair>
        <Pair name="Time">{route.time}</Pair>
      </dl>
    </article>
  )
}

function Pair({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>
}
