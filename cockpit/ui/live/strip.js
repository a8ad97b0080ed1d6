// The strip on top: state first, then what it is measured by. And the red bar when numbers are old.
import { clock, dur, num } from "./format.js"
import { judge } from "./model.js"
import { fill, figure, h, say, set, tell } from "./dom.js"
import { instant } from "./panels.js"
import { buildCounts, drawCounts } from "./alerts.js"

const GLYPHS = { live: "●", delayed: "▲", stopped: "⬣", connecting: "◔", paused: "‖" }

export function buildStrip(view) {
  const { texts } = view
  const fact = (kpi, word) => h("span", { class: "ck-fact" }, h("span", {}, word), figure(kpi))
  return h(
    "header",
    { class: "ck-strip", "data-testid": "strip" },
    h("span", { class: "ck-state" }, h("span", { class: "ck-glyph", "aria-hidden": "true" }), h("span", { class: "ck-word" }), h("span", { class: "ck-detail" })),
    h("span", { class: "ck-demo", title: texts.demo_title, hidden: "" }, texts.demo),
    buildCounts(view),
    h("span", { class: "ck-facts" }, fact("last_event_at", texts.last_event), fact("last_received_at", texts.received), fact("processed_at", texts.processed), fact("viewers", texts.viewers), h("span", { class: "ck-fact ck-zone" }, view.zone === "America/Sao_Paulo" ? texts.zone_brasilia : view.zone)),
  )
}

export function buildBar() {
  return h("div", { class: "ck-bar-stopped", role: "alert", hidden: "", "data-testid": "stopped" })
}

// Draw strip and bar; the state that is shown.
export function drawStrip(strip, bar, model, view, now) {
  const verdict = judge(model, now)
  const state = view.paused && verdict.state !== "stopped" ? "paused" : verdict.state
  set(strip, { "data-state": state })
  say(strip.querySelector(".ck-glyph"), GLYPHS[state])
  say(strip.querySelector(".ck-word"), view.texts[state])
  say(strip.querySelector(".ck-detail"), detail(verdict, state, model, view))
  set(strip.querySelector(".ck-demo"), { hidden: model.snapshot?.demo ? null : "" })
  drawCounts(strip.querySelector(".ck-counts"), model, view, now)
  facts(strip, model, view, now)
  const isStopped = state === "stopped"
  set(bar, { hidden: isStopped ? null : "" })
  say(bar, isStopped ? `⬣ ${sentence(verdict, view)}` : "")
  return state
}

function detail(verdict, state, model, view) {
  const age = (ms) => dur(ms < 1000 ? 0 : Math.floor(ms / 1000), view.language)
  if (state === "paused") return fill(view.texts.paused_at, { time: clock(view.pausedAt, view.zone) })
  if (state === "live") return verdict.age === null ? view.texts.waiting : seconds(verdict.age, view)
  if (state === "delayed") return fill(view.texts[verdict.reason], { age: age(verdict.age) })
  return ""
}

const seconds = (ms, view) => `${num(Math.floor(ms / 1000), view.language)}\u00a0s`

function sentence(verdict, view) {
  return fill(view.texts[verdict.reason], { time: verdict.at ? clock(verdict.at, view.zone) : "" })
}

function facts(strip, model, view, now) {
  const at = model.snapshot ? model.snapshot.published_at + (now - model.takenAt) : null
  for (const kpi of ["last_event_at", "last_received_at", "processed_at"]) {
    const value = model.snapshot?.[kpi]
    tell(strip.querySelector(`[data-kpi=${kpi}]`), value, instant(value, at, view))
  }
  tell(strip.querySelector("[data-kpi=viewers]"), model.viewers, num(model.viewers, view.language))
}
