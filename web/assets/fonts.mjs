// Cuts Pretendard GOV into slices by what pages say, so that a page fetches 60–70 kB of a weight and not 265.
//
// Slice 0 has Latin, digits, signs and every Hangul syllable that the sources of this repository use (pages, messages, the demo city);
// the rest of the typeface follows in slices of SLICE characters in code order, fetched only by pages that need one
// (unicode-range). Names and data with rare syllables so cost about 20 kB more.
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import fontverter from 'fontverter'
import subsetFont from 'subset-font'

const SLICE = 250
const WEIGHTS = [
  { name: 'regular', file: 'PretendardGOV-Regular.subset.woff2', range: '100 500' },
  { name: 'bold', file: 'PretendardGOV-Bold.subset.woff2', range: '600 900' },
]
const SOURCES = ['web', 'manifest', 'catalog', 'city/manifests']
const hangul = (c) => c >= 0xac00 && c <= 0xd7a3
const latin = (c) => (c >= 0x20 && c <= 0x7e) || (c >= 0xa0 && c <= 0xff) || (c >= 0x2010 && c <= 0x22ff) || (c >= 0x25a0 && c <= 0x27bf) || (c >= 0x3000 && c <= 0x3020)

// fonts writes the slices with put and returns the @font-face rules.
export async function fonts({ root, folder, put }) {
  const used = await usedSyllables(root)
  let css = ''
  for (const weight of WEIGHTS) {
    const font = await readFile(path.join(folder, weight.file))
    const slices = slice([...await characters(font)], used)
    for (const [i, chars] of slices.entries()) {
      const body = await subsetFont(font, String.fromCodePoint(...chars), { targetFormat: 'woff2' })
      const file = await put(`${weight.name}-${i}.woff2`, body)
      css += `@font-face{font-family:"Pretendard GOV";font-style:normal;font-weight:${weight.range};font-display:swap;` +
        `src:url(./${file}) format("woff2");unicode-range:${ranges(chars)}}\n`
    }
  }
  return css
}

function slice(all, used) {
  const first = all.filter((c) => latin(c) || used.has(c))
  const rest = all.filter((c) => !latin(c) && !used.has(c))
  const slices = [first]
  for (let i = 0; i < rest.length; i += SLICE) slices.push(rest.slice(i, i + SLICE))
  return slices
}

async function usedSyllables(root) {
  const used = new Set()
  for (const folder of SOURCES) {
    const names = await readdir(path.join(root, folder), { recursive: true }).catch(() => [])
    for (const name of names.filter((n) => /\.(templ|go|ts|yaml)$/.test(n) && !/_templ\.go$|_test\.go$/.test(n))) {
      for (const c of await readFile(path.join(root, folder, name), 'utf8')) if (hangul(c.codePointAt(0))) used.add(c.codePointAt(0))
    }
  }
  return used
}

// characters reads which characters a font has, from its cmap table (formats 4 and 12).
async function characters(woff2) {
  const sfnt = await fontverter.convert(woff2, 'sfnt')
  const view = new DataView(sfnt.buffer, sfnt.byteOffset, sfnt.length)
  const found = new Set()
  for (let i = 0; i < view.getUint16(4); i++) {
    const at = 12 + 16 * i
    if (view.getUint32(at) !== 0x636d6170) continue // "cmap"
    const cmap = view.getUint32(at + 8)
    for (let j = 0; j < view.getUint16(cmap + 2); j++) readCmap(view, cmap + view.getUint32(cmap + 8 + 8 * j), found)
  }
  return [...found].sort((a, b) => a - b)
}

function readCmap(view, at, found) {
  const format = view.getUint16(at)
  if (format === 4) {
    const segments = view.getUint16(at + 6) / 2
    for (let i = 0; i < segments; i++) {
      const end = view.getUint16(at + 14 + 2 * i), start = view.getUint16(at + 16 + 2 * segments + 2 * i)
      for (let c = start; c <= end && c < 0xffff; c++) found.add(c)
    }
  } else if (format === 12) {
    for (let i = 0; i < view.getUint32(at + 12); i++) {
      for (let c = view.getUint32(at + 16 + 12 * i); c <= view.getUint32(at + 20 + 12 * i); c++) found.add(c)
    }
  }
}

// ranges writes code points as a CSS unicode-range.
function ranges(chars) {
  const out = []
  for (let i = 0, j; i < chars.length; i = j) {
    for (j = i + 1; j < chars.length && chars[j] === chars[j - 1] + 1;) j++
    out.push('U+' + chars[i].toString(16) + (j - i > 1 ? '-' + chars[j - 1].toString(16) : ''))
  }
  return out.join()
}
