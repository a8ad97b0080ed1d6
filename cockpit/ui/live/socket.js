// The one connection of this tab to /live. It comes back by itself: with jitter, with a new token when the old one is
// used up, and over Streamlit (polling) when websockets do not get through although the server answers.

const TOKEN_GOOD_MS = 50_000
const RENEW_EVERY_MS = 3000
const BAD_TOKEN = 4401

export function connection(events) {
  const line = { socket: null, token: null, tokenAt: 0, renewedAt: -Infinity, failures: 0, timer: null, isEnded: false }

  function later(ms) {
    clearTimeout(line.timer)
    line.timer = setTimeout(open, ms)
  }

  function renew() {
    const now = performance.now()
    if (now - line.renewedAt > RENEW_EVERY_MS) {
      line.renewedAt = now
      events.renew()
    }
    later(RENEW_EVERY_MS)
  }

  function open() {
    if (line.isEnded || line.socket) return
    if (performance.now() - line.tokenAt > TOKEN_GOOD_MS) return renew()
    const socket = new WebSocket(events.url)
    let isServed = false
    line.socket = socket
    socket.onopen = () => socket.send(line.token)
    socket.onmessage = (event) => {
      if (!isServed) {
        isServed = true
        line.failures = 0
        events.opened()
      }
      events.message(JSON.parse(event.data))
    }
    socket.onclose = (event) => {
      line.socket = null
      if (line.isEnded) return
      if (isServed) events.closed()
      else failed(event.code)
      if (event.code === BAD_TOKEN) return renew()
      later(300 + Math.random() * 1200)
    }
  }

  function failed(code) {
    if (code === BAD_TOKEN) return
    fetch(events.healthUrl, { cache: "no-store" })
      .then((response) => response.ok && ++line.failures === 3 && events.blocked())
      .catch(() => {})
  }

  return {
    use(token) {
      if (token === line.token) return
      ;[line.token, line.tokenAt] = [token, performance.now()]
      if (!line.socket) open()
    },
    end() {
      line.isEnded = true
      clearTimeout(line.timer)
      line.socket?.close()
    },
  }
}
