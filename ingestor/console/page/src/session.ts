/** Who uses the page and what they may do, so that nothing is offered that would be refused. */

import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Session } from './types'

export const SessionContext = createContext<Session | null>(null)

export function useSession(): Session | null {
  return useContext(SessionContext)
}

export function useMay(permission: Session['permissions'][number]): boolean {
  return useSession()?.permissions.includes(permission) ?? false
}
