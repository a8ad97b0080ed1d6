// The row of tiles: number, its window, its companions, its definition.
import { dur, money, num, pct, rate } from "./format.js"
import { freshnessMs, lagOf } from "./model.js"
import { figure, h, say, set, spark, sparkline, tell } from "./dom.js"

const FEW_ATTEMPTS = 30
const MILLION_CENTS = 1e8 // from here on a tile has room for the short form only

// Each tile: main and companions [kpi, raw value, text]; a companion is followed by a word of the catalogue.
// `few` greys a rate whose denominator is small; `line` gives the values of the sparkline.
function tilesOf(model, view, now) {
  const { language } = view
  const scope = model.snapshot?.scopes[view.scope]
  const day = scope?.today
  const queue = model.snapshot?.queue
  const count = (kpi, value) => [kpi, value, num(value, language)]
  const share = (kpi, value) => [kpi, value, rate(value, language)]
  const wait = (kpi, ms) => [kpi, ms, dur(ms === null || ms === undefined ? null : ms / 1000, language)]
  const cents = (kpi, value, short) => [kpi, value, money(value, language, short)]
  const recent = view.recent
  return {
    active_sessions: {
      main: count("active_sessions", scope?.active_sessions),
      more: [[count("sessions_today", day?.sessions), "sender_sessions"]],
      line: model.samples.map((sample) => sample.sessions[view.scope] ?? null),
    },
    events_per_minute: {
      main: count("events_per_minute", scope?.events_per_minute),
      more: [[count("events_today", day?.events), "today"]],
      line: recent.map((point) => point.counts[0] ?? null),
    },
    personalizations_per_minute: {
      main: count("deliveries_per_minute", scope?.deliveries_per_minute),
      more: [[count("delivered_today", day?.delivered), "delivered_today"]],
      line: recent.map((point) => point.delivered ?? null),
    },
    personalization_error_rate: {
      main: share("error_rate_5m", scope?.error_rate_5m),
      more: [[count("attempts_5m", scope?.attempts_5m), "attempts"], [count("failed_today", day?.failed), "failed_today"]],
      few: scope?.attempts_5m < FEW_ATTEMPTS,
      line: recent.map((point) => point.error ?? null),
    },
    event_to_action: {
      main: wait("latency_p95_ms", scope?.latency_5m.p95_ms),
      more: [[wait("latency_p50_ms", scope?.latency_5m.p50_ms), "p50"], [wait("latency_p99_ms", scope?.latency_5m.p99_ms), "p99"], [count("latency_n", scope?.latency_5m.n), "actions"]],
      few: scope?.latency_5m.n < FEW_ATTEMPTS,
      line: recent.map((point) => point.p95 ?? null),
    },
    queue: {
      main: ["queue_lag_s", queue ? lagOf(queue) : null, dur(queue ? lagOf(queue) : null, language)],
      more: [[count("queue_events", queue?.events), "in_queue"], [wait("freshness_ms", freshnessMs(model, now)), "freshness"]],
      line: model.samples.map((sample) => sample.lag),
    },
    conversion_rate_profile: {
      main: share("conversion_rate", day?.conversion_rate),
      more: [[count("buyers_today", day?.buyers), "buyers"], [count("profiles_today", day?.profiles), "visitors"]],
      few: day?.profiles < FEW_ATTEMPTS,
    },
    revenue_per_profile: {
      main: cents("revenue_per_profile_cents", day?.revenue_per_profile_cents),
      more: [[cents("revenue_today", day?.revenue_cents, day?.revenue_cents >= MILLION_CENTS), "revenue"], [count("orders_today", day?.orders), "orders"]],
    },
    gross_margin: {
      main: ["gross_margin_rate", day?.gross_margin_rate, pct(day?.gross_margin_rate, language)],
      more: [[cents("gross_margin_cents", day?.gross_margin_cents, true), "margin"], [["margin_coverage", day?.margin_coverage, pct(day?.margin_coverage, language)], "coverage"]],
    },
  }
}

export function buildTiles(view) {
  const tiles = Object.entries(view.kpis).map(([id, words]) => {
    const tip = `ck-tip-${id}`
    return h(
      "div",
      { class: "ck-tile", "data-tile": id },
      h("div", { class: "ck-tile-head" }, h("span", { class: "ck-label", title: words.label }, words.label), info(tip, words.label, view)),
      h("div", { class: "ck-value-row" }, figure("", "ck-value")),
      h("div", { class: "ck-more" }),
      sparkline(),
      h("div", { class: "ck-window" }, words.window),
      h("div", { class: "ck-tip", id: tip, role: "tooltip" }, words.definition),
    )
  })
  return h("section", { class: "ck-tiles", "aria-label": view.texts.today }, tiles)
}

function info(tip, label, view) {
  return h("button", { type: "button", class: "ck-info", "aria-label": `${view.texts.definition}: ${label}`, "aria-describedby": tip }, "i")
}

export function drawTiles(section, model, view, now) {
  for (const [id, tile] of Object.entries(tilesOf(model, view, now))) {
    const node = section.querySelector(`[data-tile="${id}"]`)
    const value = node.querySelector(".ck-value")
    const [kpi, raw, text] = tile.main
    set(value, { "data-kpi": kpi })
    tell(value, raw, text)
    set(node, { "data-few": tile.few === true ? "true" : null })
    more(node.querySelector(".ck-more"), tile.more, view)
    spark(node.querySelector(".ck-spark"), tile.line ?? [])
  }
}

function more(parent, companions, view) {
  while (parent.children.length < companions.length) parent.append(h("span", { class: "ck-companion" }, figure(""), " ", h("span", {})))
  companions.forEach(([[kpi, raw, text], word], i) => {
    const [number, , label] = parent.children[i].childNodes
    set(number, { "data-kpi": kpi })
    tell(number, raw, text)
    say(label, view.texts[word])
  })
}
