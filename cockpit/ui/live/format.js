// Numbers as people read them: the twin of cockpit/i18n/format.py. Both pass tests/i18n/vectors.json.
// Laws: missing or NaN is a dash, never 0; round first and sign afterwards; ASCII minus; a no-break space before units.

const MISSING = "—"
const SPACE = "\u00a0"
const MARKS = {
  pt: { decimal: ",", group: ".", units: [`${SPACE}mil`, `${SPACE}mi`, `${SPACE}bi`, `${SPACE}tri`], points: "p.p." },
  en: { decimal: ".", group: ",", units: ["K", "M", "B", "T"], points: "pp" },
}

const isMissing = (value) => value === null || value === undefined || Number.isNaN(value)

function fixed(value, language, decimals) {
  const { decimal, group } = MARKS[language]
  const [whole, fraction] = Math.abs(value).toFixed(decimals).split(".")
  const plain = whole.replace(/\B(?=(\d{3})+$)/g, group) + (fraction ? decimal + fraction : "")
  return value < 0 && /[1-9]/.test(plain) ? `-${plain}` : plain
}

function scale(value) {
  let [scaled, power] = [value, 0]
  while (power < 4 && Number(Math.abs(scaled).toFixed(1)) >= 1000) [scaled, power] = [scaled / 1000, power + 1]
  return [power, scaled]
}

function clockwork(seconds) {
  const two = (number) => String(number).padStart(2, "0")
  if (seconds < 60) return `${seconds}${SPACE}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}${SPACE}min ${two(seconds % 60)}${SPACE}s`
  return `${Math.floor(minutes / 60)}${SPACE}h ${two(minutes % 60)}${SPACE}min`
}

export function num(value, language, decimals = 0) {
  return isMissing(value) ? MISSING : fixed(value, language, decimals)
}

export function compact(value, language) {
  if (isMissing(value)) return MISSING
  const [power, scaled] = scale(value)
  if (power === 0) return fixed(scaled, language, Number.isInteger(value) ? 0 : 1)
  return fixed(scaled, language, 1) + MARKS[language].units[power - 1]
}

export function brl(reais, language, short = false) {
  if (isMissing(reais)) return MISSING
  const text = short && scale(reais)[0] ? compact(Math.abs(reais), language) : fixed(Math.abs(reais), language, 2)
  return `${reais < 0 && /[1-9]/.test(text) ? "-" : ""}R$${SPACE}${text}`
}

export function money(cents, language, short = false) {
  return brl(isMissing(cents) ? null : cents / 100, language, short)
}

export function pct(ratio, language, decimals = 1) {
  return isMissing(ratio) ? MISSING : `${fixed(ratio * 100, language, decimals)}%`
}

export function rate(ratio, language) {
  return pct(ratio, language, !isMissing(ratio) && Math.abs(ratio) > 0 && Math.abs(ratio) < 0.01 ? 2 : 1)
}

export function pp(difference, language) {
  return isMissing(difference) ? MISSING : `${fixed(difference * 100, language, 1)}${SPACE}${MARKS[language].points}`
}

export function dur(seconds, language) {
  if (isMissing(seconds)) return MISSING
  const sign = seconds < 0 ? "-" : ""
  const size = Math.abs(seconds)
  if (Number((size * 1000).toFixed(0)) < 1000) {
    const text = fixed(size * 1000, language, 0)
    return `${text === "0" ? "" : sign}${text}${SPACE}ms`
  }
  if (Number(size.toFixed(1)) < 10) return `${sign}${fixed(size, language, 1)}${SPACE}s`
  return sign + clockwork(Number(size.toFixed(0)))
}

// Clock times are of the business zone, whatever the browser's is.
const clocks = new Map()

function clockOf(zone, withSeconds) {
  const key = `${zone}/${withSeconds}`
  if (!clocks.has(key)) {
    const parts = { timeZone: zone, hourCycle: "h23", hour: "2-digit", minute: "2-digit" }
    clocks.set(key, new Intl.DateTimeFormat("en-GB", withSeconds ? { ...parts, second: "2-digit" } : parts))
  }
  return clocks.get(key)
}

export function clock(ms, zone, withSeconds = true) {
  return isMissing(ms) ? MISSING : clockOf(zone, withSeconds).format(ms)
}

const dates = new Map()

// 22/11 (pt) or 22 Nov (en): for an instant that is not of the business day.
export function day(ms, zone, language) {
  const key = `${zone}/${language}`
  if (!dates.has(key)) {
    const parts = language === "pt" ? { day: "2-digit", month: "2-digit" } : { day: "2-digit", month: "short" }
    dates.set(key, new Intl.DateTimeFormat(language === "pt" ? "pt-BR" : "en-GB", { timeZone: zone, year: "numeric", ...parts }))
  }
  return isMissing(ms) ? MISSING : dates.get(key).format(ms)
}

// The instant as a wall-clock text of the business zone, which is what a chart's time axis takes.
const wallFormats = new Map()
const walls = new Map()

export function wall(ms, zone) {
  if (ms % 60_000 !== 0) return wallFormat(zone).format(ms) // the edge of a moving window is never asked for again
  const key = `${zone}/${ms}`
  if (!walls.has(key)) {
    if (walls.size > 3000) walls.clear()
    walls.set(key, wallFormat(zone).format(ms))
  }
  return walls.get(key)
}

function wallFormat(zone) {
  if (!wallFormats.has(zone)) {
    const two = "2-digit"
    const parts = { timeZone: zone, hourCycle: "h23", year: "numeric", month: two, day: two, hour: two, minute: two, second: two }
    wallFormats.set(zone, new Intl.DateTimeFormat("sv-SE", parts))
  }
  return wallFormats.get(zone)
}
