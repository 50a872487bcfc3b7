/** DynamoDB's typed values as people edit them: a type and a text. */

export const TYPES = { S: 'text', N: 'number', BOOL: 'yes or no', SS: 'texts, a line each', NS: 'numbers, a line each' } as const
export type Type = keyof typeof TYPES

export interface Edited {
  name: string
  /** Null for a type that is kept as it is and not edited here. */
  type: Type | null
  text: string
  kept: unknown
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

export function edited(attributes: Record<string, unknown>): Edited[] {
  return Object.entries(attributes).map(([name, typed]) => {
    const [type = '', value] = Object.entries(typed as Record<string, unknown>)[0] ?? []
    if (!(type in TYPES)) return { name, type: null, text: JSON.stringify(typed), kept: typed }
    return { name, type: type as Type, text: Array.isArray(value) ? value.join('\n') : String(value), kept: null }
  })
}

export function typed(rows: Edited[]): Record<string, unknown> {
  return Object.fromEntries(rows.map(({ name, type, text, kept }) => [name.trim(), type === null ? kept : { [type]: valueOf(type, text) }]))
}

/** What is wrong with a row; empty when nothing is. */
export function mistake(row: Edited, all: Edited[]): string {
  const name = row.name.trim()
  if (name === '') return 'It needs a name.'
  if (all.some((other) => other !== row && other.name.trim() === name)) return 'There are two of this name.'
  const lines = list(row.text)
  if (row.type === 'N' && !NUMBER.test(row.text.trim())) return 'This is not a number.'
  if (row.type === 'NS' && !lines.every((line) => NUMBER.test(line))) return 'One of these is not a number.'
  if ((row.type === 'SS' || row.type === 'NS') && lines.length === 0) return 'A set needs a member.'
  if (new Set(lines).size < lines.length && (row.type === 'SS' || row.type === 'NS')) return 'A set has each member once.'
  return ''
}

function valueOf(type: Type, text: string): unknown {
  if (type === 'BOOL') return text === 'true'
  if (type === 'SS' || type === 'NS') return list(text)
  return type === 'N' ? text.trim() : text
}

function list(text: string): string[] {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '')
}
