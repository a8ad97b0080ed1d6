// What the page knows: the last snapshot, the live minutes, and how old all of it is. No DOM here.
// Laws: a minute that is not there is a gap, not a zero. Ages are counted with the browser's monotonic clock from the
// server's own instants, so a browser whose clock is wrong still tells the truth.

export const LIMITS = { closedMs: 1500, delayedMs: 2000, delayedPollMs: 6000, quietMs: 30_000, stoppedMs: 55_000, queueS: 10 }
const SAMPLE_EVERY_MS = 10_000
const SAMPLES = 30
const MINUTE = 60_000
const MOST_POINTS = 600

export function emptyModel(now) {
  return { snapshot: null, minutes: new Map(), takenAt: null, up: true, open: false, isPolled: false, changedAt: now, viewers: null, samples: [] }
}

// Take one message of /live; true when numbers may have changed.
export function take(model, message, now) {
  if (message.op === "status") {
    if (model.up !== message.up) [model.up, model.changedAt] = [message.up, now]
    model.viewers = message.viewers
    return false
  }
  if (message.op !== "snapshot") return false
  if (message.full) model.minutes.clear()
  for (const minute of message.minutes) model.minutes.set(minute.minute, minute)
  const oldest = [...model.minutes.keys()].sort((a, b) => a - b).slice(0, -90)
  for (const minute of oldest) model.minutes.delete(minute)
  model.snapshot = message
  model.takenAt = now - (message.age_ms ?? 0) // the relay's memory of a feed that may be down
  sample(model, now)
  return true
}

function sample(model, now) {
  const last = model.samples.at(-1)
  if (last && now - last.at < SAMPLE_EVERY_MS) return
  const { scopes, queue } = model.snapshot
  const sessions = Object.fromEntries(Object.entries(scopes).map(([name, scope]) => [name, scope.active_sessions]))
  model.samples = [...model.samples, { at: now, sessions, lag: lagOf(queue) }].slice(-SAMPLES)
}

// Seconds that the oldest waiting event has waited; an empty queue has no lag.
export function lagOf(queue) {
  return queue.entries === 0 ? 0 : queue.oldest_age_s
}

// The server's clock now.
export function serverNow(model, now) {
  return model.snapshot === null ? null : model.snapshot.published_at + (now - model.takenAt)
}

export function freshnessMs(model, now) {
  const received = model.snapshot?.last_received_at
  return received === null || received === undefined ? null : Math.max(0, serverNow(model, now) - received)
}

// The state of the whole page: live, delayed, stopped or connecting, with the reason and what it is measured by.
export function judge(model, now) {
  const isCut = !model.open || !model.up
  const cutFor = isCut ? now - model.changedAt : 0
  if (model.snapshot === null) return cutFor > LIMITS.closedMs ? { state: "stopped", reason: "no_feed" } : { state: "connecting" }
  const messageAge = now - model.takenAt
  const freshness = freshnessMs(model, now)
  const lag = lagOf(model.snapshot.queue)
  if (cutFor > LIMITS.closedMs || messageAge > LIMITS.stoppedMs) return { state: "stopped", reason: "no_update_since", at: model.snapshot.published_at }
  if (freshness > LIMITS.stoppedMs) return { state: "stopped", reason: "no_events_since", at: model.snapshot.last_received_at }
  if (messageAge > (model.isPolled ? LIMITS.delayedPollMs : LIMITS.delayedMs)) return { state: "delayed", reason: "no_message_for", age: messageAge }
  if (lag > LIMITS.queueS) return { state: "delayed", reason: "queue_late", age: lag * 1000 }
  if (freshness > LIMITS.quietMs) return { state: "delayed", reason: "no_events_for", age: freshness }
  return { state: "live", age: freshness }
}

// Points of the window for one scope, oldest first: history where there are no live minutes yet, then the live ones.
// A point: {t, span, counts: one per series, errors: {channel: rate}, delivered, p50, p95, p99}; milliseconds, per minute.
export function points(model, view, now) {
  const live = [...model.minutes.values()].sort((a, b) => a.minute - b.minute)
  const first = live.length ? live[0].minute : Infinity
  const start = (serverNow(model, now) ?? view.end) - view.window_ms
  const old = fromColumns(view.history, view.series).filter((point) => point.t + point.span <= first)
  return [...old, ...live.map((minute) => fromMinute(minute, view))].filter((point) => point.t + point.span > start).slice(-MOST_POINTS)
}

function fromColumns(history, series) {
  if (!history) return []
  return history.minutes.map((t, i) => ({
    t,
    span: history.step_ms,
    counts: series.map((one) => history.events[one.key][i]),
    errors: Object.fromEntries(Object.entries(history.error_rate).map(([channel, rates]) => [channel, rates[i]])),
    delivered: history.delivered[i],
    error: history.error[i],
    p50: history.p50_ms[i],
    p95: history.p95_ms[i],
    p99: history.p99_ms[i],
  }))
}

function fromMinute(minute, view) {
  const scope = minute.scopes[view.scope]
  const errors = Object.fromEntries(Object.entries(minute.scopes).map(([name, one]) => [name, one.error_rate]))
  delete errors.all
  return {
    t: minute.minute,
    span: MINUTE,
    counts: view.series.map((one) => (scope ? countOf(scope.events, one.names) : null)),
    errors,
    delivered: scope?.delivered ?? null,
    error: scope?.error_rate ?? null,
    p50: scope?.p50_ms ?? null,
    p95: scope?.p95_ms ?? null,
    p99: scope?.p99_ms ?? null,
  }
}

function countOf(events, names) {
  const counted = names === null ? Object.values(events) : names.map((name) => events[name] ?? 0)
  return counted.reduce((sum, count) => sum + count, 0)
}

// The same points with an empty one wherever minutes are missing, so that a line breaks there.
export function withGaps(all) {
  return all.flatMap((point, i) => {
    const before = all[i - 1]
    const isGap = before && point.t - before.t > Math.max(point.span, before.span)
    return isGap ? [{ t: before.t + before.span, span: point.span, counts: [], errors: {} }, point] : [point]
  })
}

export function isRunning(point, model, now) {
  return point.t + point.span > (serverNow(model, now) ?? Infinity)
}
