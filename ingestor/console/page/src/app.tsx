/** The frame around every view: sign-in, navigation, the state of the connection. */

import type { ComponentType } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { open, signIn, signInTrouble, signOut, startSignIn } from './auth'
import { clock } from './format'
import { connection, figures, follow } from './live'
import { Icon, type IconName } from './parts/icon'
import { ErrorBox } from './parts/states'
import { useResource } from './resource'
import { href, keepView, restoreView, useRoute, type Route } from './router'
import { SessionContext, useSession } from './session'
import { useStore } from './store'
import type { Session } from './types'
import { DeadLetters } from './views/deadletters'
import { Device } from './views/device'
import { Devices } from './views/devices'
import { Mapping } from './views/mapping'
import { Metadata } from './views/metadata'
import { Overview } from './views/overview'
import { Pipeline } from './views/pipeline'
import { Record } from './views/record'

interface View {
  name: string
  title: string
  icon: IconName
  all: ComponentType<{ route: Route }>
  one?: ComponentType<{ route: Route }>
}

const VIEWS: View[] = [
  { name: 'overview', title: 'Overview', icon: 'pulse', all: Overview },
  { name: 'devices', title: 'Devices', icon: 'device', all: Devices, one: Device },
  { name: 'metadata', title: 'Metadata', icon: 'tag', all: Metadata, one: Record },
  { name: 'dead-letters', title: 'Dead letters', icon: 'letter', all: DeadLetters },
  { name: 'pipeline', title: 'Pipeline', icon: 'flow', all: Pipeline },
  { name: 'mapping', title: 'Mapping', icon: 'braces', all: Mapping },
]

export function App() {
  const state = useStore(signIn)
  const [trouble, setTrouble] = useState<unknown>(null)
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    restoreView(VIEWS.map(({ name }) => name))
    open().then(
      () => setTrouble(null),
      (error: unknown) => {
        setTrouble(error)
        timer = setTimeout(() => setAttempt((number) => number + 1), 3000)
      },
    )
    return () => clearTimeout(timer)
  }, [attempt])
  if (state === 'not-needed' || state === 'signed-in') return <Signed />
  if (state === 'signed-out') return <Door />
  return (
    <main class="door">
      <h1>ingestor</h1>
      {trouble === null ? <p role="status">Opening …</p> : <ErrorBox error={trouble} retry={() => setAttempt(attempt + 1)} />}
    </main>
  )
}

function Door() {
  const trouble = useStore(signInTrouble)
  return (
    <main class="door">
      <h1>ingestor</h1>
      <p>Sign in to see what the fleet does.</p>
      {trouble !== '' && <p class="level problem" role="alert">{trouble}</p>}
      <button class="primary" onClick={() => void startSignIn()}>Sign in</button>
    </main>
  )
}

function Signed() {
  const session = useResource<Session>('/api/v1/session', 600)
  const route = useRoute()
  const view = VIEWS.find(({ name }) => name === route.view) ?? (VIEWS[0] as View)
  const main = useRef<HTMLElement>(null)
  const opened = useRef(true)

  useEffect(() => {
    const abort = new AbortController()
    void follow(abort.signal)
    return () => abort.abort()
  }, [])

  const place = `${view.name}/${route.item}`
  useEffect(() => {
    keepView(view.name)
    document.title = `${route.item === '' ? '' : `${route.item} · `}${view.title} · ingestor`
    // Whoever moves by keyboard or listens goes on where the new view begins.
    if (!opened.current) main.current?.querySelector('h1')?.focus()
    opened.current = false
    scrollTo(0, 0)
  }, [place])

  const Shown = (route.item !== '' && view.one) || view.all
  return (
    <SessionContext.Provider value={session.data}>
      <a class="skip" href="#main" onClick={(event) => skip(event, main.current)}>Skip to content</a>
      <header class="bar">
        <a class="brand" href={href('overview')}><Icon name="pulse" /> ingestor</a>
        <Connection />
        <Account />
      </header>
      <nav class="views" aria-label="Views">
        <ul>
          {VIEWS.map(({ name, title, icon }) => (
            <li key={name}>
              <a href={href(name)} aria-current={name === view.name ? 'page' : undefined}>
                <Icon name={icon} /> <span>{title}</span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main id="main" ref={main} tabIndex={-1}>
        <Shown key={place} route={route} />
      </main>
    </SessionContext.Provider>
  )
}

function skip(event: Event, main: HTMLElement | null): void {
  event.preventDefault() // the hash is the view's
  main?.focus()
}

function Connection() {
  const state = useStore(connection)
  const last = useStore(figures)
  const lost = state === 'lost'
  useEffect(() => {
    document.documentElement.classList.toggle('lost', lost)
  }, [lost])
  return (
    <p class={`connection ${state}`} role="status">
      {state === 'live' && <><i class="dot" aria-hidden="true" /> Live</>}
      {state === 'connecting' && 'Connecting …'}
      {lost && (
        <>
          <i class="dot" aria-hidden="true" /> No connection
          {last !== null && <span class="since">, figures of {clock(last.time_ms)}</span>}
        </>
      )}
    </p>
  )
}

function Account() {
  const session = useSession()
  if (session?.user == null) return null
  return (
    <p class="account">
      <span>{session.user} ({session.role})</span> <button onClick={signOut}>Sign out</button>
    </p>
  )
}
