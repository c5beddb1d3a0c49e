// Builds what the browser gets, into web/assets/dist: one script, one style sheet, icons, slices of the typeface.
//
// Every name carries a hash of its content, so that a browser may keep a file for ever; manifest.json maps plain names to these.
// Text is compressed here once, not on every request. Nothing in dist names an address outside the server.
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import * as esbuild from 'esbuild'
import { fonts } from './fonts.mjs'
import { styles } from './styles.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.resolve(here, '../..')
const dist = path.join(here, 'dist')
const krds = path.join(path.dirname(createRequire(import.meta.url).resolve('krds-uiux/package.json')), 'resources')

const hashed = (name, body) => {
  const { name: stem, ext } = path.parse(name)
  return `${stem}-${createHash('sha256').update(body).digest('hex').slice(0, 10)}${ext}`
}

// dist is emptied but for .gitkeep, which lets Go embed the folder before anything was built.
await mkdir(dist, { recursive: true })
for (const name of await readdir(dist)) if (name !== '.gitkeep') await rm(path.join(dist, name), { recursive: true })

const manifest = {}
const put = async (name, body) => {
  const file = hashed(name, body)
  await writeFile(path.join(dist, file), body)
  manifest[name] = file
  return file
}

const script = await esbuild.build({
  entryPoints: [path.join(here, 'src/maru.ts')],
  bundle: true, minify: true, write: false, format: 'iife', target: 'es2020', legalComments: 'none',
})
await put('maru.js', script.outputFiles[0].contents)

const faces = await fonts({ root, folder: path.join(krds, 'fonts'), put })
const sheet = await styles({ root, here, krds, faces, put })
await put('maru.css', sheet)
await put('favicon.svg', await readFile(path.join(here, 'src/favicon.svg')))

for (const file of Object.values(manifest)) {
  if (file.endsWith('.woff2')) continue // compressed by its own form
  const body = await readFile(path.join(dist, file))
  await writeFile(path.join(dist, file + '.br'), brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
  await writeFile(path.join(dist, file + '.gz'), gzipSync(body, { level: 9 }))
}
await writeFile(path.join(dist, 'manifest.json'), JSON.stringify(manifest, null, 1))

const size = async (name) => ((await readFile(path.join(dist, name))).length / 1000).toFixed(1) + ' kB'
console.log(`web/assets/dist: script ${await size(manifest['maru.js'] + '.br')}, styles ${await size(manifest['maru.css'] + '.br')} (brotli), ` +
  `typeface ${await size(manifest['regular-0.woff2'])} + ${await size(manifest['bold-0.woff2'])}, ${Object.keys(manifest).length} files`)
