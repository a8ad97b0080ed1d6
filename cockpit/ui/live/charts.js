// Plotly figures: rows of small lines on one time axis, and lines on one scale. Redrawn in place, never remounted.
import { clock, dur, num, rate, wall } from "./format.js"
import { fill } from "./dom.js"
import { isRunning, serverNow, withGaps } from "./model.js"

const PIXELS = 600 // about the width of a chart

const LOCALES = { pt: "pt-BR", en: "en-US" }

export function loadPlotly(view) {
  window.__cockpitPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = view.plotly_url
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => {
      window.__cockpitPlotly = undefined
      reject(new Error(`cannot load ${view.plotly_url}`))
    }
    document.head.append(script)
  })
  return window.__cockpitPlotly.then((Plotly) => {
    Plotly.register(localeOf(view))
    return Plotly
  })
}

// Plotly ships English only; the words and the calendar come from the catalogue.
function localeOf({ language, plotly_words: dictionary, calendar }) {
  const list = (name) => calendar[name].split(" ")
  const [decimal, thousands] = language === "pt" ? [",", "."] : [".", ","]
  const format = { days: list("days"), shortDays: list("short_days"), months: list("months"), shortMonths: list("short_months"), date: calendar.date, decimal, thousands }
  return { moduleType: "locale", name: LOCALES[language], dictionary, format }
}

export function configOf(language) {
  return {
    locale: LOCALES[language],
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    responsive: true,
    displayModeBar: "hover",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"],
  }
}

export function coloursOf(node) {
  const style = getComputedStyle(node)
  const value = (name) => style.getPropertyValue(name).trim()
  return {
    page: value("--st-background-color"),
    panel: value("--st-secondary-background-color"),
    text: value("--st-text-color"),
    quiet: value("--ck-text-2"),
    border: value("--st-border-color"),
    blue: value("--ck-personalised"),
    critical: value("--ck-critical"),
    grid: value("--ck-grid"),
  }
}

function frame(view, range, colours, extra) {
  return {
    uirevision: `${view.window}/${view.scope}`,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "Inter, 'Segoe UI', Roboto, Arial, sans-serif", size: 11, color: colours.quiet },
    separators: view.language === "pt" ? ",." : ".,",
    showlegend: false,
    hovermode: "x unified",
    hoversubplots: "axis",
    hoverlabel: { bgcolor: colours.page, bordercolor: colours.border, font: { color: colours.text, size: 12 } },
    dragmode: "zoom",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colours.quiet, activecolor: colours.text },
    ...extra,
    xaxis: {
      type: "date",
      range,
      tickformat: "%H:%M",
      hoverformat: view.window === "24h" ? "%d/%m %H:%M" : "%H:%M",
      nticks: view.isNarrow ? 4 : 7,
      showgrid: false,
      zeroline: false,
      showline: true,
      linecolor: colours.border,
      ticks: "outside",
      ticklen: 3,
      tickcolor: colours.border,
      fixedrange: false,
      ...extra.xaxis,
    },
  }
}

// Lines of one row: solid up to the last complete minute, dotted into the running one.
function traces(xs, ys, hovers, isTailRunning, style) {
  const cut = isTailRunning ? xs.length - 1 : xs.length
  const common = { type: "scatter", mode: "lines", connectgaps: false, yaxis: style.yaxis, name: style.name }
  const solid = { ...common, x: xs.slice(0, cut), y: ys.slice(0, cut), text: hovers.slice(0, cut), hovertemplate: "%{text}", line: { color: style.colour, width: style.width ?? 1.5 } }
  const tail = { ...common, x: xs.slice(Math.max(cut - 1, 0)), y: ys.slice(Math.max(cut - 1, 0)), hoverinfo: "skip", line: { color: style.colour, width: 1, dash: "dot" } }
  return [solid, isTailRunning ? tail : { ...tail, x: [], y: [] }]
}

// What lies between a line and zero, one polygon per unbroken run: Plotly's own fill would bridge the gaps.
function ground(xs, ys, { yaxis, fill }) {
  const [x, y] = [[], []]
  const isThere = (i) => ys[i] !== null && ys[i] !== undefined
  ys.forEach((value, i) => {
    if (!isThere(i)) return
    if (!isThere(i - 1)) x.push(xs[i]) && y.push(0)
    x.push(xs[i])
    y.push(value)
    if (!isThere(i + 1)) x.push(xs[i], null) && y.push(0, null)
  })
  return { type: "scatter", mode: "lines", x, y, yaxis, fill: "toself", fillcolor: fill, line: { width: 0 }, hoverinfo: "skip" }
}

const present = (values) => values.filter((value) => value !== null && value !== undefined)

// One small chart per row, one time axis. rows: [{key, name, valueOf(point)}]; `shared`: one scale for all rows.
export function rowsFigure(all, rows, model, view, now, colours, { shared, text, least }) {
  const points = withGaps(all)
  const xs = points.map((point) => wall(point.t, view.zone))
  const isTailRunning = points.length > 0 && isRunning(points.at(-1), model, now)
  const height = 1 / Math.max(rows.length, 1)
  const columns = rows.map((row) => points.map((point) => row.valueOf(point) ?? null))
  const complete = columns.map((ys) => (isTailRunning ? ys.slice(0, -1) : ys))
  const most = complete.map((ys) => Math.max(...present(ys), 0))
  const tops = most.map((value) => Math.max(value, least))
  const top = Math.max(...tops, least)
  const layout = { annotations: [], shapes: [], margin: { l: 96, r: view.isNarrow ? 58 : 118, t: 4, b: 24 } }
  const data = rows.flatMap((row, i) => {
    const axis = i === 0 ? "y" : `y${i + 1}`
    const bottom = 1 - (i + 1) * height
    const reach = shared ? top : tops[i]
    layout[`yaxis${i === 0 ? "" : i + 1}`] = { domain: [bottom + height * 0.1, 1 - i * height - height * 0.04], range: [0, reach * 1.06], fixedrange: true, showgrid: false, zeroline: true, zerolinecolor: colours.border, showticklabels: false }
    layout.annotations.push(...labels(row, complete[i].at(-1), view.isNarrow ? null : most[i], bottom + height / 2, text, view.texts, colours))
    const hovers = columns[i].map((value) => text(value))
    return [...traces(xs, columns[i], hovers, isTailRunning, { yaxis: axis, name: row.name, colour: row.colour }), ground(xs, complete[i], { yaxis: axis, fill: row.fill })]
  })
  return { data, layout: frame(view, rangeOf(model, view, now), colours, { ...layout, xaxis: { anchor: rows.length > 1 ? `y${rows.length}` : "y" } }), points, columns }
}

function labels(row, last, top, y, text, texts, colours) {
  const side = { xref: "paper", yref: "paper", y, yanchor: "middle", showarrow: false }
  const most = top === null ? "" : `  <span style="font-size:11px">${fill(texts.max, { value: text(top) })}</span>`
  return [
    { ...side, x: 0, xanchor: "right", xshift: -8, align: "right", text: row.name, font: { size: 12, color: colours.text } },
    { ...side, x: 1, xanchor: "left", xshift: 6, align: "left", text: `<b>${text(last ?? null)}</b>${most}`, font: { size: 12, color: colours.text } },
  ]
}

// p50, p95 and p99 on one scale, in seconds.
export function latencyFigure(all, model, view, now, colours) {
  const points = withGaps(all)
  const xs = points.map((point) => wall(point.t, view.zone))
  const columns = ["p50", "p95", "p99"].map((name) => points.map((point) => (point[name] === null || point[name] === undefined ? null : point[name] / 1000)))
  const styles = [
    { name: "p50", colour: colours.quiet, width: 1.5 },
    { name: "p95", colour: colours.blue, width: 2 },
    { name: "p99", colour: colours.text, width: 1 },
  ]
  const top = Math.max(...present(columns.flat()), 0.001)
  const data = styles.flatMap((style, i) => traces(xs, columns[i], columns[i].map((value) => dur(value, view.language)), false, style).slice(0, 1))
  const ends = styles.map((style, i) => ({ style, value: present(columns[i]).at(-1) })).filter((end) => end.value !== undefined)
  const ticks = ticksOf(top)
  const layout = {
    margin: { l: 52, r: 84, t: 8, b: 24 },
    annotations: spread(ends.map(({ style, value }) => ({ y: value, text: `${style.name} <b>${dur(value, view.language)}</b>`, colour: style.colour })), top, colours),
    yaxis: { range: [0, top * 1.08], fixedrange: true, gridcolor: colours.grid, zerolinecolor: colours.border, tickvals: ticks, ticktext: ticks.map((value) => dur(value, view.language)) },
  }
  return { data, layout: frame(view, rangeOf(model, view, now), colours, layout), points, columns }
}

// Words at the right end of the lines, moved apart where they would cover each other.
function spread(ends, top, colours) {
  let floor = -Infinity
  return [...ends].sort((a, b) => a.y - b.y).map((end) => {
    floor = Math.max(end.y, floor + top * 0.09)
    return { x: 1, xref: "paper", xanchor: "left", xshift: 6, y: floor, yanchor: "middle", showarrow: false, text: end.text, font: { size: 11, color: end.colour } }
  })
}

function ticksOf(top) {
  const raw = top / 4
  const size = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].map((factor) => factor * size).find((one) => one >= raw)
  return Array.from({ length: 6 }, (_, i) => i * step).filter((value) => value <= top * 1.08)
}

// The window moves on by whole pixels: a smaller step would move every label for nothing.
function rangeOf(model, view, now) {
  const pixel = view.window_ms / PIXELS
  const end = Math.ceil((serverNow(model, now) ?? view.end) / pixel) * pixel
  return [wall(end - view.window_ms, view.zone), wall(end, view.zone)]
}

// The same numbers as a table, newest first.
export function tableRows(points, columns, view, text) {
  return points
    .map((point, i) => [clock(point.t, view.zone, false), ...columns.map((column) => text(column[i] ?? null))])
    .reverse()
}

export const textOfCount = (language) => (value) => num(value, language)
export const textOfRate = (language) => (value) => rate(value, language)
export const textOfSeconds = (language) => (value) => dur(value, language)
