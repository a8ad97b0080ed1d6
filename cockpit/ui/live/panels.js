// The panels that are tables and bars: channels now, active sessions, events of today, intake.
import { clock, day, dur, num, rate } from "./format.js"
import { serverNow } from "./model.js"
import { figure, fill, h, reconcile, say, set, tell } from "./dom.js"

const SILENT_MS = 5 * 60_000
const HOUR_MS = 3_600_000
const FEW = 30
const SMALLEST_GROUP = 20
const SEGMENTS = 4

export function panel(name, title, sub, content, tool = null) {
  return h("section", { class: "ck-panel", "data-panel": name }, h("div", { class: "ck-panel-head" }, h("h2", {}, title), tool), h("p", { class: "ck-sub" }, sub), content)
}

const nameOf = (words, code) => words[code] ?? code

export function channelsIn(model, view) {
  const seen = Object.keys(model.snapshot?.scopes ?? {}).filter((name) => name !== "all")
  const known = Object.keys(view.channels).filter((code) => seen.includes(code))
  return [...known, ...seen.filter((code) => !known.includes(code)).sort()]
}

// Channels now

export function buildMatrix(view) {
  const { texts } = view
  const heads = [texts.col_channel, texts.col_delivered, texts.col_error, texts.col_p95, texts.col_last, texts.col_state]
  const head = h("tr", {}, heads.map((word, i) => h("th", { scope: "col", class: i > 0 && i < 5 ? "ck-num" : "" }, word)))
  return h("table", { class: "ck-table", "data-testid": "matrix" }, h("thead", {}, head), h("tbody", {}))
}

export function drawMatrix(table, model, view, now) {
  const body = table.tBodies[0]
  reconcile(body, channelsIn(model, view), (channel) =>
    h("tr", { "data-channel": channel }, h("th", { scope: "row" }, nameOf(view.channels, channel)), ["delivered", "error", "p95", "last"].map((name) => h("td", { class: "ck-num" }, figure(`matrix_${name}`))), h("td", { class: "ck-words" }, h("span", { class: "ck-channel-state" }))),
  )
  for (const row of body.rows) drawChannel(row, model.snapshot.scopes[row.dataset.channel], view, serverNow(model, now))
}

function drawChannel(row, scope, view, at) {
  const { language } = view
  const [delivered, error, p95, last] = row.querySelectorAll("[data-kpi]")
  tell(delivered, scope.deliveries_per_minute, num(scope.deliveries_per_minute, language))
  tell(error, scope.error_rate_5m, rate(scope.error_rate_5m, language))
  const p95s = scope.latency_5m.p95_ms
  tell(p95, p95s, dur(p95s === null ? null : p95s / 1000, language))
  tell(last, scope.last_event_at, instant(scope.last_event_at, at, view))
  error.parentElement.style.setProperty("--heat", `${Math.round(60 * (scope.error_rate_5m ?? 0))}%`)
  set(error, { "data-few": scope.attempts_5m < FEW ? "true" : null })
  set(p95, { "data-few": scope.latency_5m.n < FEW ? "true" : null })
  const silence = scope.last_event_at === null ? null : at - scope.last_event_at
  const isActive = silence !== null && silence <= SILENT_MS
  set(row, { "data-state": isActive ? "active" : "silent", "data-selected": view.scope === row.dataset.channel ? "true" : null })
  const { texts } = view
  say(row.querySelector(".ck-channel-state"), isActive ? texts.state_active : silentFor(silence, view))
}

function silentFor(silence, view) {
  if (silence === null || silence > 24 * HOUR_MS) return view.texts.state_old
  const minutes = Math.floor(silence / 60_000)
  const age = minutes < 60 ? `${minutes}\u00a0min` : dur(minutes * 60, view.language)
  return fill(view.texts.state_silent, { age })
}

// A clock time of the business zone; the date where it is of another day.
export function instant(ms, at, view) {
  if (ms === null || ms === undefined) return clock(null)
  const isToday = day(ms, view.zone, view.language) === day(at, view.zone, view.language)
  return isToday ? clock(ms, view.zone) : day(ms, view.zone, view.language)
}

// Active sessions by channel and segment

export function buildSessions() {
  return h("table", { class: "ck-table ck-heat", "data-testid": "sessions" }, h("thead", {}, h("tr", {})), h("tbody", {}))
}

export function drawSessions(table, model, view) {
  const cells = model.snapshot.sessions
  const segments = columnsOf(cells)
  const heads = ["channel", ...segments, "total"]
  reconcile(table.tHead.rows[0], heads, (key) => h("th", { scope: "col", class: key === "channel" ? "" : "ck-num" }, headOf(key, view)))
  const rows = channelsIn(model, view).filter((channel) => cells.some((cell) => (cell.channel ?? "unknown") === channel))
  reconcile(table.tBodies[0], ["all", ...rows], (key) => h("tr", { "data-channel": key }, h("th", { scope: "row", "data-key": "head" }, nameOf(view.channels, key))))
  const top = Math.max(...rows.flatMap((channel) => segments.map((segment) => sessionsOf(cells, channel, segment, segments))), 1)
  for (const row of table.tBodies[0].rows) drawSessionsRow(row, model, view, { cells, segments, top })
}

function drawSessionsRow(row, model, view, { cells, segments, top }) {
  const channel = row.dataset.key
  reconcile(row, ["head", ...segments, "total"], (key) => h("td", { class: "ck-num" }, figure(`sessions_${key}`)))
  for (const cell of [...row.cells].slice(1)) {
    const key = cell.dataset.key
    const isTotal = key === "total"
    const count = isTotal ? model.snapshot.scopes[channel].active_sessions : sessionsOf(cells, channel, key, segments)
    const isHidden = !isTotal && count > 0 && count < SMALLEST_GROUP
    tell(cell.firstChild, isHidden ? null : count, isHidden ? view.texts.below : num(count, view.language))
    cell.style.setProperty("--heat", isTotal || channel === "all" || isHidden ? "0%" : `${Math.round((45 * count) / top)}%`)
    set(cell, { "data-zero": count === 0 ? "true" : null })
  }
}

const segmentOf = (cell) => cell.segment ?? "unknown"

function columnsOf(cells) {
  const totals = new Map()
  for (const cell of cells) totals.set(segmentOf(cell), (totals.get(segmentOf(cell)) ?? 0) + cell.sessions)
  const ranked = [...totals].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([segment]) => segment)
  const shown = ranked.slice(0, SEGMENTS).sort()
  return ranked.length > SEGMENTS ? [...shown, "others"] : shown
}

function sessionsOf(cells, channel, segment, segments) {
  const isHere = (cell) => channel === "all" || (cell.channel ?? "unknown") === channel
  const isThis = (cell) => (segment === "others" ? !segments.includes(segmentOf(cell)) : segmentOf(cell) === segment)
  return cells.filter((cell) => isHere(cell) && isThis(cell)).reduce((sum, cell) => sum + cell.sessions, 0)
}

function headOf(key, view) {
  if (key === "channel") return view.texts.col_channel
  return key === "total" ? view.texts.col_total : nameOf(view.segments, key)
}

// Events of today by type

export function buildToday() {
  return h("ul", { class: "ck-bars", "data-testid": "today", tabindex: "0" })
}

export function drawToday(list, model, view) {
  const counts = Object.entries(model.snapshot.scopes[view.scope]?.today.events_by_name ?? {}).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
  const top = counts[0]?.[1] ?? 1
  reconcile(list, counts.map(([name]) => name), (name) =>
    h("li", { "data-name": name }, h("span", { class: "ck-bar-name", title: name }, nameOf(view.events, name)), h("span", { class: "ck-bar" }, h("span", {})), figure(`events_today:${name}`, "ck-num")),
  )
  counts.forEach(([name, count], i) => {
    const row = list.children[i]
    tell(row.lastChild, count, num(count, view.language))
    row.children[1].firstChild.style.width = `${Math.max((100 * count) / top, 0.5)}%`
  })
}

// Intake: received = stored + duplicate + refused

const OUTCOMES = ["received", "stored", "duplicate", "refused"]

export function buildIntake(view) {
  const boxes = OUTCOMES.map((name) => h("div", { class: `ck-outcome ck-outcome-${name}` }, figure(`intake_${name}`, "ck-outcome-value"), h("span", {}, view.texts[`intake_${name}`])))
  return h("div", { "data-testid": "intake" }, h("div", { class: "ck-outcomes" }, boxes), h("div", { class: "ck-split", "aria-hidden": "true" }, h("span", { class: "ck-stored" }), h("span", { class: "ck-duplicate" }), h("span", { class: "ck-refused" })), h("div", { class: "ck-flow", "data-kpi": "in_per_s" }), h("div", { class: "ck-codes-title" }), h("ul", { class: "ck-codes" }))
}

export function drawIntake(box, model, view) {
  const intake = model.snapshot.intake_today
  for (const name of OUTCOMES) tell(box.querySelector(`[data-kpi=intake_${name}]`), intake[name], num(intake[name], view.language))
  for (const name of OUTCOMES.slice(1)) box.querySelector(`.ck-${name}`).style.flexGrow = intake[name]
  const { in_per_s: entering, out_per_s: leaving } = model.snapshot.queue
  const perSecond = (value) => num(value, view.language, 1)
  tell(box.querySelector(".ck-flow"), entering, fill(view.texts.in_out, { in: perSecond(entering), out: perSecond(leaving) }))
  const codes = Object.entries(intake.refused_by_code).sort((a, b) => b[1] - a[1])
  say(box.querySelector(".ck-codes-title"), codes.length ? view.texts.intake_codes : "")
  const list = box.querySelector(".ck-codes")
  reconcile(list, codes.map(([code]) => code), (code) => h("li", { "data-code": code }, h("code", {}, code), figure("refused_by_code", "ck-num")))
  codes.forEach(([, count], i) => tell(list.children[i].lastChild, count, num(count, view.language)))
}
