/**
 * Who is signed in. Locally nobody needs to; in AWS it is the code flow with PKCE against the
 * hosted page that `config.json` names. Tokens are kept in memory alone: a reload asks again, which
 * the hosted page answers without a password while its own session lasts.
 */

import { Store } from './store'

interface Configuration {
  client: string | null
  signIn: string | null
}

interface Tokens {
  bearer: string
  refresh: string
  renewAt: number
}

interface Pending {
  state: string
  verifier: string
  hash: string
}

export type SignIn = 'unknown' | 'not-needed' | 'signed-out' | 'signed-in'

export const signIn = new Store<SignIn>('unknown')
/** Why the last sign-in did not work; empty when it did. */
export const signInTrouble = new Store('')

const PENDING = 'sign-in'
const RENEW_BEFORE_SECONDS = 120

let configuration: Configuration = { client: null, signIn: null }
let tokens: Tokens | null = null
let renewal: Promise<void> | null = null

/** Read the configuration and finish a sign-in that the hosted page has sent back. */
export async function open(): Promise<void> {
  const response = await fetch('config.json', { cache: 'no-store' })
  if (!response.ok) throw new Error(`config.json: status ${response.status}`)
  configuration = (await response.json()) as Configuration
  if (configuration.signIn == null) return signIn.set('not-needed')
  const back = new URLSearchParams(location.search)
  const pending = takePending()
  if (back.size > 0) history.replaceState(null, '', location.pathname + (pending?.hash ?? ''))
  const code = back.get('code')
  if (back.has('error')) {
    signInTrouble.set(back.get('error_description') ?? back.get('error') ?? '')
  } else if (code !== null) {
    await finish(code, back.get('state'), pending)
  }
  signIn.set(tokens === null ? 'signed-out' : 'signed-in')
}

/** Leave for the hosted page. */
export async function startSignIn(): Promise<void> {
  const pending = { state: random(), verifier: random(), hash: location.hash }
  sessionStorage.setItem(PENDING, JSON.stringify(pending))
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(pending.verifier))
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: configuration.client ?? '',
    redirect_uri: home(),
    scope: 'openid email',
    state: pending.state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  })
  location.assign(`${configuration.signIn}/oauth2/authorize?${asked}`)
}

/** Forget the tokens, and end the session of the hosted page, too. */
export function signOut(): void {
  tokens = null
  const asked = new URLSearchParams({ client_id: configuration.client ?? '', logout_uri: home() })
  location.assign(`${configuration.signIn}/logout?${asked}`)
}

/** The server took the token no longer. */
export function signedOut(): void {
  if (configuration.signIn == null) return
  tokens = null
  signIn.set('signed-out')
}

/** The token for the server, renewed when its end is near; null when none is needed or there. */
export async function token(): Promise<string | null> {
  if (tokens !== null && Date.now() > tokens.renewAt) {
    renewal ??= renew(tokens.refresh).finally(() => (renewal = null))
    await renewal
  }
  return tokens?.bearer ?? null
}

async function finish(code: string, state: string | null, pending: Pending | null): Promise<void> {
  if (pending === null || state !== pending.state) {
    signInTrouble.set('The answer of the sign-in page does not belong to this window.')
    return
  }
  await take({
    grant_type: 'authorization_code',
    code,
    redirect_uri: home(),
    code_verifier: pending.verifier,
  })
}

async function renew(refresh: string): Promise<void> {
  await take({ grant_type: 'refresh_token', refresh_token: refresh }, refresh)
  if (tokens === null) signIn.set('signed-out')
}

async function take(grant: Record<string, string>, refresh = ''): Promise<void> {
  tokens = null
  try {
    const response = await fetch(`${configuration.signIn}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: configuration.client ?? '', ...grant }),
      credentials: 'omit',
    })
    const told = (await response.json()) as Record<string, unknown>
    if (!response.ok) throw new Error(String(told['error'] ?? response.status))
    const seconds = Number(told['expires_in'])
    tokens = {
      bearer: String(told['access_token']),
      refresh: String(told['refresh_token'] ?? refresh),
      renewAt: Date.now() + (seconds - RENEW_BEFORE_SECONDS) * 1000,
    }
    signInTrouble.set('')
  } catch (error) {
    signInTrouble.set(`The sign-in failed: ${error instanceof Error ? error.message : error}`)
  }
}

function takePending(): Pending | null {
  const kept = sessionStorage.getItem(PENDING)
  sessionStorage.removeItem(PENDING)
  return kept === null ? null : (JSON.parse(kept) as Pending)
}

function home(): string {
  return `${location.origin}/`
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)))
}

function base64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
