/** What can go wrong with a request, in words for people. */

/** The server's answer to what it did not do: `application/problem+json`, or just a status. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(detail === '' ? title : detail)
    this.name = 'Problem'
  }
}

/** Nobody answered. */
export class Offline extends Error {
  constructor() {
    super('The server does not answer.')
    this.name = 'Offline'
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => '')
  try {
    const body = JSON.parse(text) as Record<string, unknown>
    const told = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : '')
    return new Problem(response.status, told('title') || `Status ${response.status}`, told('detail'), body)
  } catch {
    return new Problem(response.status, `The server answered with status ${response.status}.`, '')
  }
}

export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
