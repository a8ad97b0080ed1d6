// Small tools for the DOM. Law: text from events goes through textContent, never through innerHTML.

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  set(node, attributes)
  node.append(...children.flat().filter((child) => child !== null && child !== undefined))
  return node
}

export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) node.removeAttribute(name)
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value)
  }
}

export function say(node, text) {
  if (node.textContent !== text) node.textContent = text
}

// A text of the catalogue with its {names} filled in.
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name])
}

// A number on the screen, with its raw value for tests and for copying: <span data-kpi data-value>17.434</span>
export function figure(kpi, className = "") {
  return h("span", { class: className, "data-kpi": kpi, "data-value": "" }, "—")
}

export function tell(node, raw, text) {
  say(node, text)
  set(node, { "data-value": raw === null || raw === undefined ? "" : raw })
}

// Keep one child per key, in order: add, move and remove only what changed.
export function reconcile(parent, keys, make) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]))
  keys.forEach((key, i) => {
    let child = known.get(key)
    if (!child) {
      child = make(key)
      child.dataset.key = key
    }
    known.delete(key)
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null)
  })
  for (const child of known.values()) child.remove()
}

const SVG = "http://www.w3.org/2000/svg"

export function sparkline() {
  const svg = document.createElementNS(SVG, "svg")
  set(svg, { class: "ck-spark", viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" })
  svg.append(document.createElementNS(SVG, "path"), document.createElementNS(SVG, "path"))
  svg.children[0].setAttribute("class", "ck-spark-area")
  svg.children[1].setAttribute("class", "ck-spark-line")
  return svg
}

// Draw values from 0 to their maximum; null breaks the line.
export function spark(svg, values) {
  const top = Math.max(...values.filter((value) => value !== null), 0) || 1
  const place = (value, i) => [(i * 100) / Math.max(values.length - 1, 1), 22 - (20 * value) / top]
  const runs = []
  values.forEach((value, i) => {
    if (value === null || value === undefined) return
    if (i === 0 || values[i - 1] === null || values[i - 1] === undefined) runs.push([])
    runs.at(-1).push(place(value, i).map((number) => number.toFixed(1)))
  })
  const line = runs.map((run) => `M${run.map((point) => point.join(" ")).join("L")}`).join("")
  const area = runs.map((run) => `M${run[0][0]} 23L${run.map((point) => point.join(" ")).join("L")}L${run.at(-1)[0]} 23Z`).join("")
  set(svg.children[0], { d: area })
  set(svg.children[1], { d: line })
}
