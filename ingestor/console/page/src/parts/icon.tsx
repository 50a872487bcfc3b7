/** Small pictures beside words; never instead of them. */

const PATHS = {
  pulse: 'M2 12h4l3-8 5 15 3-9h5',
  device: 'M5 4h14v12H5zM9 20h6M12 16v4M8 12l3-4 2 3 2-2',
  tag: 'M3 12V4h8l10 10-8 8zM7.5 8.5h.01',
  letter: 'M3 6h18v13H3zM3 7l9 7 9-7',
  flow: 'M2 12h5M10 12h4M17 12h5M7 9v6M14 9v6M10 9v6M17 9v6',
  braces: 'M9 4c-3 0-3 2-3 4s0 4-3 4c3 0 3 2 3 4s0 4 3 4M15 4c3 0 3 2 3 4s0 4 3 4c-3 0-3 2-3 4s0 4-3 4',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
