// Builds the page: src/ and the packages of package-lock.json into dist/, a handful of flat files.
//
//     node build.mjs
//
// Script and style carry a hash of their content in their names, so that browsers may keep them for
// ever; index.html names them. The result appears whole or not at all.

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const dist = join(here, '../dist')
const draft = join(here, '../dist.draft')

rmSync(draft, { recursive: true, force: true })
const { outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: { console: 'src/main.tsx', style: 'src/style/index.css' },
  entryNames: '[name]-[hash]',
  outdir: draft,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
  write: true,
  metafile: true,
}).then(async ({ metafile }) => ({ outputFiles: Object.keys(metafile.outputs) }))

const named = (suffix) => basename(outputFiles.find((path) => path.endsWith(suffix)))
const page = readFileSync(join(here, 'src/index.html'), 'utf8')
  .replace('{script}', named('.js'))
  .replace('{style}', named('.css'))
writeFileSync(join(draft, 'index.html'), page)
writeFileSync(join(draft, 'icon.svg'), readFileSync(join(here, 'src/icon.svg')))
rmSync(dist, { recursive: true, force: true })
renameSync(draft, dist)

let total = 0
for (const name of [named('.js'), named('.css'), 'index.html', 'icon.svg']) {
  const size = gzipSync(readFileSync(join(dist, name)), { level: 9 }).length
  total += size
  console.log(`${name.padEnd(24)} ${(size / 1000).toFixed(1).padStart(6)} kB gzipped`)
}
console.log(`${'console'.padEnd(24)} ${(total / 1000).toFixed(1).padStart(6)} kB gzipped`)
