// The live component: builds the page once, takes messages, draws. A rerun of Streamlit only changes `view`.
import { coloursOf, configOf, latencyFigure, loadPlotly, rowsFigure, tableRows, textOfCount, textOfRate, textOfSeconds } from "./charts.js"
import { emptyModel, isRunning, points, serverNow, take } from "./model.js"
import { fill, h, say, set } from "./dom.js"
import { buildIntake, buildMatrix, buildSessions, buildToday, channelsIn, drawIntake, drawMatrix, drawSessions, drawToday } from "./panels.js"
import { buildBar, buildStrip, drawStrip } from "./strip.js"
import { buildTiles, drawTiles } from "./tiles.js"
import { clock } from "./format.js"
import { connection } from "./socket.js"

const CHART_EVERY_MS = { "15m": 1000, "1h": 2000, "24h": 5000 }
const TICK_MS = 250
const POLL_EVERY_MS = 2000
const RECENT = 30
const NEVER_ASKED = { at: -Infinity, waitMs: 2000 }

const cockpits = new WeakMap()

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".ck-live")
  const known = cockpits.get(root)
  const cockpit = known ?? mount(root)
  cockpit.ask = { renew: () => setTriggerValue("renew", Date.now()), transport: (kind) => setStateValue("transport", kind) }
  show(cockpit, data)
  return () => unmount(cockpit)
}

function mount(root) {
  window.__cockpitMounts = (window.__cockpitMounts ?? 0) + 1
  const cockpit = { root, model: emptyModel(performance.now()), view: null, charts: [], polledAt: -Infinity, asked: NEVER_ASKED }
  cockpits.set(root, cockpit)
  cockpit.timer = setInterval(() => tick(cockpit), TICK_MS)
  cockpit.onVisible = () => document.hidden || drawAll(cockpit)
  document.addEventListener("visibilitychange", cockpit.onVisible)
  return cockpit
}

function unmount(cockpit) {
  clearInterval(cockpit.timer)
  document.removeEventListener("visibilitychange", cockpit.onVisible)
  cockpit.line?.end()
  for (const chart of cockpit.charts) window.Plotly?.purge(chart.plot)
  cockpits.delete(cockpit.root)
}

// What Streamlit handed over: a first time, after a filter, with a new token, or a polled snapshot.
function show(cockpit, data) {
  const { root, model } = cockpit
  const before = cockpit.view
  const now = performance.now()
  cockpit.view = { ...data, pausedAt: data.paused ? (before?.pausedAt ?? serverNow(model, now) ?? Date.now()) : null }
  set(root, { "data-theme": isDark(root) ? "dark" : "light" })
  if (before?.language !== data.language || before?.mode !== data.mode) build(cockpit)
  set(root, { "data-transport": data.poll ? "poll" : "ws", "data-language": data.language, "data-window": data.window, "data-scope": data.scope, "data-mounts": window.__cockpitMounts })
  if (!data.is_unreachable) cockpit.asked = NEVER_ASKED
  if (data.poll) receive(cockpit, JSON.parse(data.poll), now)
  cockpit.line ??= connection(wires(cockpit))
  cockpit.line.use(data.token)
  for (const chart of cockpit.charts) chart.drawnAt = -Infinity
  drawAll(cockpit)
}

function isDark(root) {
  const colour = coloursOf(root).page.replace("#", "")
  const [red, green, blue] = [0, 2, 4].map((at) => parseInt(colour.slice(at, at + 2), 16))
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128
}

function wires(cockpit) {
  const { model, view } = cockpit
  const open = (isOpen) => {
    if (model.open !== isOpen) [model.open, model.changedAt] = [isOpen, performance.now()]
  }
  return {
    url: `${location.origin.replace(/^http/, "ws")}${view.base}/live`,
    healthUrl: `${view.base}/healthz`,
    message: (message) => receive(cockpit, message, performance.now()),
    renew: () => cockpit.ask.renew(),
    opened: () => {
      open(true)
      if (cockpit.model.isPolled) cockpit.ask.transport("ws")
      cockpit.model.isPolled = false
    },
    closed: () => open(false),
    blocked: () => {
      open(true) // polled messages keep it alive from here on; without them it grows stale like any other
      cockpit.model.isPolled = true
      cockpit.ask.transport("poll")
    },
  }
}

function receive(cockpit, message, now) {
  if (!take(cockpit.model, message, now)) return
  for (const chart of cockpit.charts) chart.isDirty = true
  if (!document.hidden) drawNumbers(cockpit, now)
  if (cockpit.view.is_unreachable) askForHistory(cockpit, now)
}

// The feed is there, so the history may be too: ask again, less and less often.
function askForHistory(cockpit, now) {
  const { at, waitMs } = cockpit.asked
  if (now - at < waitMs) return
  cockpit.asked = { at: now, waitMs: Math.min(waitMs * 2, 60_000) }
  cockpit.ask.renew()
}

function build(cockpit) {
  const { root, view } = cockpit
  for (const chart of cockpit.charts) window.Plotly?.purge(chart.plot)
  const parts = { strip: buildStrip(view), bar: buildBar(), note: h("div", { class: "ck-note", hidden: "", "data-testid": "note" }) }
  cockpit.parts = parts
  cockpit.charts = []
  if (view.mode === "strip") return root.replaceChildren(parts.strip, parts.bar)
  Object.assign(parts, { tiles: buildTiles(view), matrix: buildMatrix(view), sessions: buildSessions(), today: buildToday(), intake: buildIntake(view) })
  cockpit.charts = chartsOf(cockpit)
  const { texts } = view
  const [events, errors, latency] = cockpit.charts
  parts.todayPanel = panel("today", texts.today_panel, "", parts.today)
  parts.body = h(
    "div",
    { class: "ck-body" },
    parts.tiles,
    h("div", { class: "ck-grid" }, events.panel, panel("matrix", texts.matrix, texts.matrix_sub, parts.matrix), errors.panel, latency.panel),
    h("div", { class: "ck-grid ck-three" }, panel("sessions", texts.sessions_panel, texts.sessions_sub, parts.sessions), parts.todayPanel, panel("intake", texts.intake_panel, texts.intake_sub, parts.intake)),
  )
  root.replaceChildren(parts.strip, parts.bar, parts.note, parts.body)
}

function panel(name, title, sub, content, tool = null) {
  return h("section", { class: "ck-panel", "data-panel": name }, h("div", { class: "ck-panel-head" }, h("h2", {}, title), tool), h("p", { class: "ck-sub" }, sub), content)
}

// The three charts: how each makes its figure, and its table.
function chartsOf(cockpit) {
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

function drawAll(cockpit) {
  const now = performance.now()
  drawNumbers(cockpit, now, true)
  for (const chart of cockpit.charts) drawChart(cockpit, chart, now)
}

function drawNumbers(cockpit, now, isAsked = false) {
  const { model, view, parts, root } = cockpit
  const state = drawStrip(parts.strip, parts.bar, model, view, now)
  set(root, { "data-state": state, "data-seq": model.snapshot?.seq, "data-demo": model.snapshot?.demo ? "true" : null })
  if (view.mode === "strip") return
  drawNote(cockpit, state)
  if (view.paused && !isAsked) return
  cockpit.points = points(model, view, now)
  const recent = cockpit.points.filter((point) => point.span === 60_000 && !isRunning(point, model, now)).slice(-RECENT)
  drawTiles(parts.tiles, model, { ...view, recent }, now)
  if (!model.snapshot) return
  drawMatrix(parts.matrix, model, view, now)
  drawSessions(parts.sessions, model, view)
  drawToday(parts.today, model, view)
  drawIntake(parts.intake, model, view)
  say(parts.todayPanel.querySelector(".ck-sub"), fill(view.texts.today_sub, { time: clock(model.snapshot.day_start, view.zone, false) }))
}

function drawNote(cockpit, state) {
  const { model, view, parts } = cockpit
  const isEmpty = model.snapshot !== null && model.snapshot.last_received_at === null && state !== "stopped"
  const text = isEmpty ? `${view.texts.empty_title}. ${view.texts.empty_text}` : view.is_unreachable && state !== "stopped" ? view.texts.history_missing : ""
  say(parts.note, text)
  set(parts.note, { hidden: text ? null : "", "data-kind": isEmpty ? "empty" : "history" })
}

// Four times a second: the ages, and at most one chart, so that no redraw is ever long.
function tick(cockpit) {
  if (!cockpit.view || document.hidden || !cockpit.root.isConnected) return
  const now = performance.now()
  const { model, view, parts, root } = cockpit
  if (cockpit.model.isPolled) poll(cockpit, now)
  const state = drawStrip(parts.strip, parts.bar, model, view, now)
  set(root, { "data-state": state })
  if (view.mode === "strip") return
  drawNote(cockpit, state)
  if (view.paused) return
  const due = cockpit.charts.filter((chart) => chart.isDirty && now - chart.drawnAt >= CHART_EVERY_MS[view.window])
  due.sort((a, b) => a.drawnAt - b.drawnAt)
  if (due.length) drawChart(cockpit, due[0], now)
}

// Websockets do not get through: Streamlit's own connection brings the snapshot, by a run of the fragment.
function poll(cockpit, now) {
  if (now - cockpit.polledAt < POLL_EVERY_MS) return
  cockpit.polledAt = now
  cockpit.ask.renew()
}

function drawChart(cockpit, chart, now) {
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
