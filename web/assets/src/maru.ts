// What moves on a page beside htmx: copying code, menus that close, messages when a part can't be fetched.
// Every page works without it; it only makes things quicker.
import htmx from 'htmx.org/dist/htmx.esm.js'

declare global { interface Window { htmx: typeof htmx } }
window.htmx = htmx

// A button with data-copy copies the text of the element it names, and says so to screen readers too.
document.addEventListener('click', async (event) => {
  const button = (event.target as Element).closest<HTMLElement>('[data-copy]')
  if (!button) return
  const source = document.getElementById(button.dataset.copy!)
  const status = button.parentElement!.querySelector<HTMLElement>('[role=status]')
  if (!source || !status) return
  try {
    await navigator.clipboard.writeText(source.textContent ?? '')
    status.textContent = button.dataset.done ?? ''
  } catch {
    getSelection()?.selectAllChildren(source) // the browser refuses the clipboard: select the text instead
    status.textContent = button.dataset.select ?? ''
  }
  setTimeout(() => { status.textContent = '' }, 4000)
})

// Menus are <details>. One closes when a person leaves it or presses Escape, which gives the focus back to its button.
const menus = () => document.querySelectorAll<HTMLDetailsElement>('details.menu[open]')
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return
  menus().forEach((menu) => {
    const inside = menu.contains(document.activeElement)
    menu.open = false
    if (inside) menu.querySelector<HTMLElement>('summary')?.focus()
  })
})
document.addEventListener('click', (event) => {
  menus().forEach((menu) => { if (!menu.contains(event.target as Node)) menu.open = false })
})
document.addEventListener('focusin', (event) => {
  menus().forEach((menu) => { if (!menu.contains(event.target as Node)) menu.open = false })
})

// A choice in a form marked data-auto is carried out at once; without this script a button does it.
document.addEventListener('change', (event) => {
  const field = event.target as HTMLElement
  if (field.matches('select')) field.closest<HTMLFormElement>('form[data-auto]')?.requestSubmit()
})

// What a form leaves empty doesn't belong into the address.
document.addEventListener('htmx:configRequest', (event) => {
  const parameters = (event as CustomEvent).detail.parameters
  for (const name of Object.keys(parameters)) if (parameters[name] === '') delete parameters[name]
})

// On a phone the tab one is at may lie outside the strip of tabs.
function showTab() {
  const here = document.querySelector<HTMLElement>('.maru-tabs .active')
  const strip = here?.parentElement
  if (strip) strip.scrollLeft += here.getBoundingClientRect().left - strip.getBoundingClientRect().left - 16
}
document.addEventListener('DOMContentLoaded', showTab)
document.addEventListener('htmx:afterSettle', showTab)

// A part that couldn't be fetched says so in its own place.
function failed(event: Event) {
  const detail = (event as CustomEvent).detail
  const target = detail.target as HTMLElement
  const template = document.getElementById('fetch-failed') as HTMLTemplateElement | null
  target.setAttribute('aria-busy', 'false')
  if (!template) return
  const alert = template.content.cloneNode(true) as DocumentFragment
  alert.querySelector('a')?.setAttribute('href', location.href)
  target.replaceChildren(alert)
}
document.addEventListener('htmx:responseError', failed)
document.addEventListener('htmx:sendError', failed)
document.addEventListener('htmx:timeout', failed)
