// Makes src/types.ts from openapi.json, so that the compiler notices what does not fit the API.
//
//     node types.mjs            with --check it only compares

import { readFileSync, writeFileSync } from 'node:fs'

const here = (path) => new URL(path, import.meta.url)
const { schemas } = JSON.parse(readFileSync(here('../openapi.json'), 'utf8')).components

function typeOf(schema) {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' | ')
  switch (schema.type) {
    case 'array':
      return `Array<${typeOf(schema.items)}>`
    case 'object':
      return `{ [name: string]: ${typeOf(schema.additionalProperties ?? {})} }`
    case 'integer':
    case 'number':
      return 'number'
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type
    default:
      return 'unknown'
  }
}

function declared([name, schema]) {
  const required = new Set(schema.required ?? [])
  const members = Object.entries(schema.properties ?? {}).map(
    ([member, type]) => `  ${member}${required.has(member) ? '' : '?'}: ${typeOf(type)}`,
  )
  const words = (schema.description ?? '').split('\n').map((line) => ` * ${line.trim()}`.trimEnd())
  return ['/**', ...words, ' */', `export interface ${name} {`, ...members, '}'].join('\n')
}

const head = '/** What `/api/v1` takes and answers: made from openapi.json by types.mjs. */'
const text = [head, ...Object.entries(schemas).map(declared)].join('\n\n')
const file = here('src/types.ts')
if (!process.argv.includes('--check')) {
  writeFileSync(file, `${text}\n`)
} else if (readFileSync(file, 'utf8') !== `${text}\n`) {
  console.error('src/types.ts is not what openapi.json says: run `node types.mjs`')
  process.exit(1)
}
