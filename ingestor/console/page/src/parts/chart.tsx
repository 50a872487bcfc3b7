/** Curves over time, drawn by uPlot, with their figures as text beside and behind them. */

import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { clock } from '../format'

export interface Line {
  label: string
  values: (number | null)[]
  /** Which colour: `a` the accent, `b` the other one. */
  tone: 'a' | 'b'
  least?: (number | null)[]
  most?: (number | null)[]
}

interface Props {
  title: string
  /** Epoch seconds, ascending. */
  times: number[]
  lines: Line[]
  format: (value: number | null) => string
  /** The range that is shown, epoch seconds. */
  from: number
  to: number
  /** Whether the scale begins at zero. */
  zero?: boolean
  onSelect?: (from: number, to: number) => void
}

const HEIGHT = 170
const SCHEME = matchMedia('(prefers-color-scheme: dark)')

export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const latest = useRef(props)
  latest.current = props
  const [at, setAt] = useState<number | null>(null)
  const shape = props.lines.map(({ label, least }) => label + (least === undefined ? '' : '~')).join()

  useEffect(() => {
    const element = place.current
    if (element === null) return
    const draw = () => {
      plot.current?.destroy()
      plot.current = new uPlot(options(element, latest, setAt), data(latest.current), element)
    }
    draw()
    const sized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }))
    sized.observe(element)
    SCHEME.addEventListener('change', draw)
    return () => {
      sized.disconnect()
      SCHEME.removeEventListener('change', draw)
      plot.current?.destroy()
      plot.current = null
    }
  }, [shape])

  useEffect(() => plot.current?.setData(data(props)), [props.times, props.lines, props.from, props.to])

  return (
    <figure class="chart">
      <figcaption>
        <span class="title">{props.title}</span>
        <span class="at">{at === null || props.times[at] === undefined ? '' : clock(props.times[at] * 1000)}</span>
        <span class="keys">
          {props.lines.map((line) => (
            <span key={line.label} class={`key ${line.tone}`}>
              {line.label} <b>{props.format((at === null ? last(line.values) : line.values[at]) ?? null)}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div class="plot" ref={place} role="img" aria-label={`${props.title}. ${props.lines.map((line) => told(line, props.format)).join(' ')}`} />
    </figure>
  )
}

function options(element: HTMLElement, latest: { current: Props }, setAt: (at: number | null) => void): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const { lines, onSelect } = latest.current
  const series: uPlot.Series[] = [{}]
  const bands: uPlot.Band[] = []
  for (const { label, tone, least } of lines) {
    series.push({ label, stroke: colour(tone), width: 1.5, ...(tone === 'b' ? { dash: [5, 3] } : {}), points: { size: 3, fill: colour(tone) } })
    if (least !== undefined) {
      const edge = { stroke: 'transparent', width: 0, points: { show: false } }
      series.push({ label: `${label}, most`, ...edge }, { label: `${label}, least`, ...edge })
      bands.push({ series: [series.length - 2, series.length - 1], fill: colour(`${tone}-band`) })
    }
  }
  const axis = { stroke: colour('faint'), font: '11px system-ui, sans-serif', grid: { stroke: colour('grid'), width: 1 }, ticks: { show: false } }
  return {
    width: Math.max(element.clientWidth, 100),
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    series,
    bands,
    scales: {
      x: { range: () => [latest.current.from, latest.current.to] },
      y: { range: (_, low, high) => span(low, high, latest.current.zero ?? false) },
    },
    axes: [
      { ...axis, size: 24, space: 70, values: (self, splits) => splits.map((second) => label(second, self)) },
      { ...axis, size: 56, space: 32, values: (_, splits) => splits.map((value) => latest.current.format(value)) },
    ],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: onSelect !== undefined, y: false, setScale: false } },
    hooks: {
      setCursor: [(self) => setAt(self.cursor.idx ?? null)],
      setSelect: [
        (self) => {
          if (self.select.width < 4) return
          latest.current.onSelect?.(self.posToVal(self.select.left, 'x'), self.posToVal(self.select.left + self.select.width, 'x'))
          self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
    },
  }
}

function data({ times, lines }: Props): uPlot.AlignedData {
  const rows = lines.flatMap(({ values, least, most }) => (least !== undefined && most !== undefined ? [values, most, least] : [values]))
  return [times, ...rows]
}

/** With some room; from zero where that is asked for or near. */
function span(low: number | null, high: number | null, zero: boolean): [number, number] {
  if (low == null || high == null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1]
  const room = (high - low) * 0.1
  const bottom = low >= 0 && (zero || low < high * 0.5) ? 0 : low - (room || Math.abs(low) * 0.05 || 1)
  return [bottom, high + (room || Math.abs(high) * 0.05 || 1)]
}

function label(second: number, { scales }: uPlot): string {
  const width = (scales['x']?.max ?? 0) - (scales['x']?.min ?? 0)
  const text = clock(second * 1000)
  if (width <= 600) return text
  if (width <= 172_800) return text.slice(0, 5)
  return new Date(second * 1000).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
}

function last(values: (number | null)[]): number | null {
  for (let index = values.length - 1; index >= 0; index -= 1) if (values[index] != null) return values[index] as number
  return null
}

function told({ label, values }: Line, format: Props['format']): string {
  const known = values.filter((value): value is number => value != null)
  if (known.length === 0) return `${label}: nothing known.`
  const least = known.reduce((a, b) => Math.min(a, b))
  const most = known.reduce((a, b) => Math.max(a, b))
  return `${label}: now ${format(last(values))}, between ${format(least)} and ${format(most)}.`
}
