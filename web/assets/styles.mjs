// Puts the style sheet together: the typeface, the parts of KRDS that our pages use, then our own.
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import * as esbuild from 'esbuild'
import { PurgeCSS } from 'purgecss'

// Marks that a page may carry only if it is an official site of the government, or KRDS itself.
const NOT_OURS = /url\([^)]*ico_(flag|logo_krds)[^)]*\)/g

export async function styles({ root, here, krds, faces, put }) {
  const part = (name) => readFile(path.join(krds, 'css', name), 'utf8')
  // As it comes, components look for their icons in img/img/…; they lie in img/….
  const whole = [await part('token/krds_tokens.css'), (await part('common/common.css')).replace(/@import[^;]*;/g, ''), await part('component/component.css')]
    .join('\n').replace(/@charset[^;]*;/g, '').replaceAll('img/img/', 'img/').replace(NOT_OURS, 'none')
  const own = await readFile(path.join(here, 'src/maru.css'), 'utf8')
  const kept = await new PurgeCSS().purge({
    content: await sources(root), css: [{ raw: whole + '\n' + own }], variables: true, keyframes: true,
    defaultExtractor: (text) => text.match(/[A-Za-z0-9_-]+/g) ?? [],
    safelist: { standard: [/^htmx-/, 'html', 'body'] },
  })
  const built = await esbuild.build({
    stdin: { contents: faces + kept[0].css, loader: 'css', resolveDir: path.join(krds, 'css/component') },
    bundle: true, minify: true, write: false, outdir: 'out', target: ['chrome109', 'firefox115', 'safari16'],
    loader: { '.svg': 'file' }, assetNames: '[name]', external: ['*.woff2'], legalComments: 'none',
  })
  const text = Buffer.from(built.outputFiles.find((f) => f.path.endsWith('.css')).contents).toString('utf8')
  return named(text, built.outputFiles.filter((f) => f.path.endsWith('.svg')), put)
}

// named stores the icons and points the style sheet at them.
async function named(css, icons, put) {
  for (const icon of icons) {
    const name = path.basename(icon.path)
    css = css.replaceAll(`./${name}`, './' + await put(name, icon.contents))
  }
  return css
}

// sources are the texts in which a class, id or element must be named to be kept.
async function sources(root) {
  const out = []
  for (const name of await readdir(path.join(root, 'web'), { recursive: true })) {
    if (!/\.(templ|go|ts)$/.test(name) || /_templ\.go$|_test\.go$/.test(name)) continue
    out.push({ raw: await readFile(path.join(root, 'web', name), 'utf8'), extension: 'html' })
  }
  return out
}
