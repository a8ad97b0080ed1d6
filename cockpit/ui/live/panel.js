// The live component: builds the page once, takes messages, draws. A rerun of Streamlit only changes `view`.
import { clock } from "./format.js"
import { fill, h, say, set } from "./dom.js"
import { emptyModel, isRunning, points, serverNow, take } from "./model.js"
import { coloursOf } from "./charts.js"
import { buildTiles, drawTiles } from "./tiles.js"
import { buildIntake, buildMatrix, buildSessions, buildToday, drawIntake, drawMatrix, drawSessions, drawToday, panel } from "./panels.js"
import { buildOpen, drawOpen } from "./alerts.js"
import { buildBar, buildStrip, drawStrip } from "./strip.js"
import { connection } from "./socket.js"
import { chartsOf, drawChart } from "./plots.js"

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
  Object.assign(parts, { open: buildOpen(), tiles: buildTiles(view), matrix: buildMatrix(view), sessions: buildSessions(), today: buildToday(), intake: buildIntake(view) })
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
  root.replaceChildren(parts.strip, parts.bar, parts.open, parts.note, parts.body)
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
  drawOpen(parts.open, model, view, now) // alerts go on while the numbers are paused
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
