/** What a mapping makes of a payload: lines with their parts, or the reason why not. */

import type { Outcome as Made } from '../types'
import { Prose } from './prose'

export function Outcome({ outcome }: { outcome: Made }) {
  const { refusal, mistakes } = outcome
  return (
    <div class="outcome">
      <p class={`level ${outcome.ok ? 'ok' : 'problem'}`} role="status">
        {outcome.ok ? <b>It becomes {outcome.lines.length === 1 ? 'a line' : `${outcome.lines.length} lines`}.</b> : <b>It becomes no line.</b>}
        {outcome.route !== null && <> Route <code>{outcome.route}</code>.</>}
      </p>
      {refusal !== null && (
        <p>
          Refused at <code>{refusal.stage}</code>, <code>{refusal.reason}</code>: {refusal.detail}
          {refusal.hint !== null && <span class="more"> <Prose text={refusal.hint} /></span>}
        </p>
      )}
      {outcome.held_back !== null && <p class="level warning">{outcome.held_back}</p>}
      {mistakes.length > 0 && (
        <ul class="mistakes">
          {mistakes.map(({ line, key, problem, remedy }) => <li key={`${line} ${key}`}>Line {line}, <code>{key}</code>: <Prose text={`${problem} ${remedy}`} /></li>)}
        </ul>
      )}
      {outcome.lines.map((line, index) => (
        <details key={index} open={index === 0 && outcome.lines.length === 1}>
          <summary><code class="line">{line}</code></summary>
          <div class="scroll" tabIndex={0} role="region" aria-label={`Parts of line ${index + 1}`}>
            <table>
              <thead><tr><th scope="col">Part</th><th scope="col">Text</th><th scope="col">Rule</th><th scope="col">From</th></tr></thead>
              <tbody>
                {(outcome.parts[index] ?? []).map((part, number) => (
                  <tr key={number}><th scope="row">{part.what}</th><td><code>{part.text}</code></td><td>{part.rule}</td><td>{part.source}</td></tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      ))}
    </div>
  )
}
