/** The last hour of a field as a small curve in a row. */

import { figure } from '../format'

const WIDTH = 96
const HEIGHT = 22

export function Sparkline({ name, values }: { name: string; values: (number | null)[] }) {
  const known = values.filter((value): value is number => value != null)
  if (known.length === 0) return <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" />
  const least = Math.min(...known)
  const most = Math.max(...known)
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${name}, last hour: ${figure(least)} to ${figure(most)}`}>
      <path d={way(values, least, most - least || 1)} />
    </svg>
  )
}

function way(values: (number | null)[], least: number, height: number): string {
  const step = WIDTH / Math.max(1, values.length - 1)
  let pen = false
  let path = ''
  values.forEach((value, index) => {
    if (value == null) {
      pen = false
      return
    }
    const y = HEIGHT - 2 - ((value - least) / height) * (HEIGHT - 4)
    path += `${pen ? 'L' : 'M'}${(index * step).toFixed(1)} ${y.toFixed(1)}`
    if (!pen) path += 'h.01' // a lone value is a dot
    pen = true
  })
  return path
}
