/** Numbers, times and durations as people read them. */

const NONE = '–'
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const exact = new Intl.NumberFormat('en', { maximumFractionDigits: 6 })
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })
const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })
const dateTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

type Maybe = number | null | undefined

export function count(value: Maybe): string {
  return value == null ? NONE : whole.format(value)
}

/** A figure of any size in four to six characters. */
export function figure(value: Maybe): string {
  if (value == null) return NONE
  if (Math.abs(value) >= 100_000) return compact.format(value)
  return Math.abs(value) >= 100 ? whole.format(value) : short.format(value)
}

/** A value as it was stored. */
export function stored(value: number | string | boolean): string {
  return typeof value === 'number' ? exact.format(value) : String(value)
}

export function milliseconds(value: Maybe): string {
  if (value == null) return NONE
  if (value < 1000) return `${whole.format(value)} ms`
  return duration(value / 1000)
}

export function duration(seconds: Maybe): string {
  if (seconds == null) return NONE
  if (seconds < 100) return `${short.format(seconds)} s`
  if (seconds < 6000) return `${whole.format(seconds / 60)} min`
  if (seconds < 172_800) return `${whole.format(seconds / 3600)} h`
  return `${whole.format(seconds / 86_400)} days`
}

export function clock(ms: number): string {
  return time.format(ms)
}

export function moment(ms: number): string {
  return dateTime.format(ms)
}

export function ago(ms: number, now = Date.now()): string {
  const seconds = Math.max(0, (now - ms) / 1000)
  return seconds < 2 ? 'just now' : `${duration(Math.floor(seconds))} ago`
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`
}

export function bytes(value: number): string {
  if (value < 1000) return `${whole.format(value)} B`
  const power = Math.min(3, Math.floor(Math.log(value) / Math.log(1024)))
  return `${short.format(value / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB'][power]}`
}
