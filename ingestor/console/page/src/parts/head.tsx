/** The head of a view: where one is, and what can be done here. */

import type { ComponentChildren } from 'preact'

export function Head(props: { title: string; up?: { href: string; title: string }; children?: ComponentChildren }) {
  return (
    <div class="head">
      <div>
        {props.up !== undefined && <a class="up" href={props.up.href}>{props.up.title}</a>}
        <h1 tabIndex={-1}>{props.title}</h1>
      </div>
      <div class="actions">{props.children}</div>
    </div>
  )
}
