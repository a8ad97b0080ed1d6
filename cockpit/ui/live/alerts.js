// The alerts that go on: counted in the strip, the worst below it, both leading to the page that has them all.
// Law: no all-clear from an evaluation that is old, and none before the first.
import { clock, day, num } from "./format.js"
import { serverNow } from "./model.js"
import { figure, fill, h, reconcile, say, set, tell } from "./dom.js"

const LATE_MS = 60_000
const ALERT_GLYPHS = { critical: "⬣", warning: "▲", recovering: "◑", no_data: "⌀" }
const ALERT_TONES = { recovering: "recovering", no_data: "no_data", error: "no_data" } // by state; of the others the severity

const addressOf = (view) => `${view.base}/alerts?lang=${view.language}`

export function buildCounts(view) {
  return h("a", { class: "ck-counts", href: addressOf(view), hidden: "", "data-testid": "alert-counts" }, h("span", { class: "ck-counted" }), h("span", { class: "ck-verdict" }))
}

export function drawCounts(link, model, view, now) {
  const alerts = model.snapshot?.alerts
  set(link, { hidden: alerts ? null : "" })
  if (!alerts) return
  const [counted, verdict] = link.children
  const { texts } = view
  const words = { critical: texts.alerts_critical, warning: texts.alerts_warning, no_data: texts.alerts_no_data }
  const names = Object.keys(words).filter((name) => alerts[name])
  reconcile(counted, names, (name) => h("span", { class: "ck-count", "data-tone": name }, glyphOf(name), h("span", {}, words[name]), figure(`alerts_${name}`)))
  names.forEach((name, i) => tell(counted.children[i].lastChild, alerts[name], num(alerts[name], view.language)))
  say(verdict, verdictOn(alerts, serverNow(model, now), view))
}

const glyphOf = (tone) => h("span", { class: "ck-alert-glyph", "aria-hidden": "true" }, ALERT_GLYPHS[tone])

function verdictOn(alerts, at, { texts, zone }) {
  if (alerts.evaluated_at === null) return `⌀ ${texts.alerts_never}`
  if (at - alerts.evaluated_at > LATE_MS) return `⌀ ${fill(texts.alerts_late, { time: clock(alerts.evaluated_at, zone, false) })}`
  return alerts.worst.length ? "" : `✓ ${texts.alerts_none}`
}

// Said aloud when it changes, which no tick does: times are of the clock, not ages.
export function buildOpen() {
  return h("div", { class: "ck-open", role: "status", hidden: "", "data-testid": "open-alerts" }, h("ul", {}))
}

export function drawOpen(box, model, view, now) {
  const worst = model.snapshot?.alerts?.worst ?? []
  const list = box.firstChild
  reconcile(list, worst.map((alert) => alert.fingerprint), () => h("li", {}, h("a", { href: addressOf(view) }, glyphOf("critical"), h("strong", {}), h("span", { class: "ck-what" }), h("span", { class: "ck-when" }))))
  worst.forEach((alert, i) => drawAlert(list.children[i], alert, view, serverNow(model, now)))
  set(box, { hidden: worst.length ? null : "" })
}

function drawAlert(row, alert, view, at) {
  const tone = ALERT_TONES[alert.state] ?? alert.severity
  const [glyph, state, what, when] = row.firstChild.children
  set(row, { "data-tone": tone })
  say(glyph, ALERT_GLYPHS[tone])
  say(state, view.states[alert.state])
  say(what, alert.title[view.language])
  const since = alert.since === null ? "" : fill(view.texts.alerts_since, { time: timeOf(alert.since, at, view) })
  say(when, [since, alert.is_acked ? view.texts.alerts_acked : ""].filter(Boolean).join(" · "))
}

// With its day, unless that is today.
function timeOf(ms, at, { zone, language }) {
  const [then, today] = [ms, at].map((instant) => day(instant, zone, language))
  return then === today ? clock(ms, zone, false) : `${then} ${clock(ms, zone, false)}`
}
