// The three charts as the page holds them: plot, table and button; when they are drawn, and what is zoomed.
import { h, say, set } from "./dom.js"
import { coloursOf, configOf, latencyFigure, loadPlotly, rowsFigure, tableRows, textOfCount, textOfRate, textOfSeconds } from "./charts.js"
import { channelsIn, panel } from "./panels.js"

// How each makes its figure, and its table.
export function chartsOf(cockpit) {
  const { view } = cockpit
  const { texts } = view
  return [
    chart(cockpit, "events", [texts.events_chart, texts.events_chart_sub], textOfCount(view.language), () => {
      const rows = cockpit.view.series.map((one, i) => ({ name: one.label, valueOf: (point) => point.counts[i], colour: i ? cockpit.colours.blue : cockpit.colours.text, fill: i ? cockpit.colours.blueFill : cockpit.colours.textFill }))
      return figureOfRows(cockpit, rows, { shared: false, text: textOfCount(view.language), least: 1 })
    }),
    chart(cockpit, "errors", [texts.errors_chart, texts.errors_chart_sub], textOfRate(view.language), () => {
      const rows = errorRows(cockpit)
      return figureOfRows(cockpit, rows, { shared: true, text: textOfRate(view.language), least: 0.01 })
    }),
    chart(cockpit, "latency", [texts.latency_chart, texts.latency_chart_sub], textOfSeconds(view.language), () => {
      const figure = latencyFigure(cockpit.points, cockpit.model, cockpit.view, performance.now(), cockpit.colours)
      return { ...figure, names: [texts.p50, texts.p95, texts.p99] }
    }),
  ]
}

function figureOfRows(cockpit, rows, options) {
  const figure = rowsFigure(cockpit.points, rows, cockpit.model, cockpit.view, performance.now(), cockpit.colours, options)
  return { ...figure, names: rows.map((row) => row.name) }
}

function errorRows(cockpit) {
  const { view, model } = cockpit
  const inWindow = new Set(cockpit.points.flatMap((point) => Object.keys(point.errors).filter((channel) => point.errors[channel] !== null)))
  const codes = model.snapshot ? channelsIn(model, view) : Object.keys(view.channels)
  return codes
    .filter((channel) => inWindow.has(channel))
    .map((channel) => ({ name: view.channels[channel] ?? channel, valueOf: (point) => point.errors[channel], colour: cockpit.colours.quiet, fill: cockpit.colours.criticalFill }))
}

function chart(cockpit, name, [title, sub], text, figure) {
  const { texts } = cockpit.view
  const plot = h("div", { class: "ck-plot", role: "figure", "data-chart": name })
  const empty = h("div", { class: "ck-empty", hidden: "" }, texts.no_data)
  const table = h("div", { class: "ck-scroll", hidden: "", tabindex: "0" }, h("table", { class: "ck-table" }))
  const toggle = h("button", { type: "button", class: "ck-toggle", "aria-pressed": "false" }, texts.table)
  const one = { name, title, text, figure, plot, empty, table, toggle, isTable: false, isDirty: true, drawnAt: -Infinity }
  one.panel = panel(name, title, sub, h("div", { class: "ck-chart" }, plot, empty, table), toggle)
  toggle.onclick = () => {
    one.isTable = !one.isTable
    say(toggle, one.isTable ? texts.chart : texts.table)
    set(toggle, { "aria-pressed": one.isTable })
    drawChart(cockpit, one, performance.now())
  }
  return one
}

export function drawChart(cockpit, chart, now) {
  const { view } = cockpit
  chart.drawnAt = now
  view.isNarrow = chart.plot.clientWidth < 480
  chart.isDirty = false
  cockpit.colours = tints(coloursOf(cockpit.root))
  const figure = chart.figure()
  const hasData = figure.columns.some((column) => column.some((value) => value !== null && value !== undefined))
  set(chart.empty, { hidden: hasData || chart.isTable ? "" : null })
  set(chart.table, { hidden: chart.isTable ? null : "" })
  set(chart.plot, { hidden: chart.isTable || !hasData ? "" : null, "data-points": figure.points.length, "aria-label": summary(chart, figure) })
  if (chart.isTable) return fillTable(chart, figure, view)
  if (!hasData) return
  loadPlotly(view).then(
    (Plotly) => chart.isTable || redraw(Plotly, chart, figure, view),
    () => set(chart.plot, { "data-failed": "true" }),
  )
}

// The window moves on with every redraw; where somebody has zoomed, what they look at stays.
function redraw(Plotly, chart, { data, layout }, view) {
  if (chart.zoomOf !== layout.uirevision) Object.assign(chart, { zoom: null, zoomOf: layout.uirevision, firstRange: [...layout.xaxis.range] })
  chart.range = [...layout.xaxis.range] // Plotly writes into its own
  if (chart.zoom) layout.xaxis.range = [...chart.zoom]
  Plotly.react(chart.plot, data, layout, configOf(view.language)).then(() => {
    if (chart.isWatched) return
    chart.isWatched = true
    chart.plot.on("plotly_relayout", (change) => zoomed(chart, change))
    chart.plot.on("plotly_doubleclick", () => (chart.zoom = null))
  })
}

function zoomed(chart, change) {
  const [from, to] = [change["xaxis.range[0]"], change["xaxis.range[1]"]]
  const isReset = from === undefined || from === chart.firstRange[0] || from === chart.range[0]
  if (from !== undefined || change["xaxis.autorange"]) chart.zoom = isReset ? null : [from, to]
}

function tints(colours) {
  const tint = (colour, share) => `${colour}${Math.round(share * 255).toString(16).padStart(2, "0")}`
  return { ...colours, blueFill: tint(colours.blue, 0.16), textFill: tint(colours.text, 0.08), criticalFill: tint(colours.critical, 0.4) }
}

function summary(chart, figure) {
  const last = figure.names.map((name, i) => `${name} ${chart.text(figure.columns[i].findLast((value) => value !== null && value !== undefined) ?? null)}`)
  return `${chart.title}: ${last.join(", ")}`
}

function fillTable(chart, figure, view) {
  const table = chart.table.firstChild
  const head = h("tr", {}, [view.texts.time, ...figure.names].map((name, i) => h("th", { scope: "col", class: i ? "ck-num" : "" }, name)))
  const rows = tableRows(figure.points, figure.columns, view, chart.text).map((cells) => h("tr", {}, h("th", { scope: "row" }, cells[0]), cells.slice(1).map((cell) => h("td", { class: "ck-num" }, cell))))
  table.replaceChildren(h("thead", {}, head), h("tbody", {}, rows))
}
