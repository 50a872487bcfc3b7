/** The way of a message, drawn with what flows, what is held, and why. */

import { bytes, figure } from '../format'
import { figures } from '../live'
import { Head } from '../parts/head'
import { Loading } from '../parts/states'
import { useStore } from '../store'
import type { Buffer, Dependency, Figures, Step } from '../types'

const WORDS: Record<Step['name'], [string, string]> = {
  queue: ['Queue', 'SQS keeps what devices send'],
  receive: ['Receive', 'ten a poll, within the window'],
  decode: ['Decode', 'payloads to readings'],
  enrich: ['Enrich', 'with metadata, cached'],
  batch: ['Batch', 'lines for one write'],
  write: ['Write', 'batches to InfluxDB'],
  settle: ['Settle', 'delete what is stored'],
}
const SERVICES: Record<Dependency['name'], string> = { sqs: 'SQS', dynamodb: 'DynamoDB', influxdb: 'InfluxDB' }

export function Pipeline() {
  const now = useStore(figures)
  return (
    <>
      <Head title="Pipeline" />
      {now === null ? <Loading lines={14} /> : <Way now={now} />}
    </>
  )
}

function Way({ now }: { now: Figures }) {
  return (
    <>
      <ol class="way">
        {now.steps.map((step) => <One key={step.name} step={step} hits={step.name === 'enrich' ? (now.cache?.hit_share ?? null) : null} />)}
      </ol>
      <section class="card" aria-labelledby="dependencies">
        <h2 id="dependencies">What it depends on</h2>
        <ul class="plain">
          {now.dependencies.map(({ name, up, reason }) => (
            <li key={name} class={`level ${up ? 'ok' : 'problem'}`}><b>{SERVICES[name]}</b> {up ? 'answers' : `does not work: ${reason ?? 'no reason is known'}`}</li>
          ))}
        </ul>
      </section>
      <p class="foot">{now.source === 'live' ? 'Figures of this second.' : `Figures of the last reports of ${now.tasks} tasks.`}</p>
    </>
  )
}

const BUFFERS: { [name: string]: string } = {
  queue_visible: 'waiting',
  window_messages: 'held, messages',
  window_bytes: 'held, bytes',
  waiting_for_metadata: 'waiting for a record',
  batch_lines: 'open batch, lines',
  write_queue: 'closed batches',
  waiting_for_settlement: 'waiting',
}
/** How many batches may be written at once follows InfluxDB's latency: a setting, not a fill. */
const ADAPTED = 'write_limit'

function One({ step, hits }: { step: Step; hits: number | null }) {
  const [title, what] = WORDS[step.name]
  const flows = (step.per_s ?? 0) > 0
  return (
    <li class={`step ${step.waiting !== null ? 'waits' : flows ? 'flows' : 'rests'}`}>
      <h2>{title}</h2>
      <p class="more">{what}</p>
      <p class="figure">{step.per_s !== null && <>{figure(step.per_s)} <small>{step.unit}/s</small></>}</p>
      {step.buffers.filter(({ name }) => name !== ADAPTED).map((buffer) => <Fill key={buffer.name} buffer={buffer} />)}
      {hits !== null && <div class="fill"><span>cache hits</span><span class="number">{figure(hits * 100)} %</span></div>}
      <p class="waiting">{step.waiting !== null && <><b>Waiting:</b> {step.waiting}</>}</p>
    </li>
  )
}

function Fill({ buffer: { name, used, limit, unit } }: { buffer: Buffer }) {
  const words = BUFFERS[name] ?? name.replaceAll('_', ' ')
  const share = limit === null || limit === 0 ? null : Math.min(1, used / limit)
  return (
    <div class="fill">
      <span>{words}</span>
      <span class="number">{amount(used, unit)}{limit !== null && <small> of {amount(limit, unit)}</small>}</span>
      {share !== null && <meter min={0} max={1} high={0.9} optimum={0} value={share} aria-label={`${words}: ${Math.round(share * 100)} % full`} />}
    </div>
  )
}

function amount(value: number, unit: Buffer['unit']): string {
  return unit === 'bytes' ? bytes(value) : figure(value)
}
