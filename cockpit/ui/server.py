"""The screens' own routes beside Streamlit: `/live` for the browsers' components, `/healthz`, and security headers.

Streamlit guards its own websocket but no custom route, so `/live` itself looks at Origin, Host and a signed token.
"""

import asyncio
import time
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from cockpit.ui import live_token, services
from cockpit.ui.relay import Relay

LOOPBACK = ("127.0.0.1", "localhost", "::1")
TOKEN_WITHIN_S = 5
LIFE_S = 15 * 60  # then the browser comes again with a new token, so a withdrawn role takes effect
BAD_TOKEN, REFUSED, COME_AGAIN = 4401, 4403, 4408

CONTENT = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Streamlit's components are blobs
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "frame-ancestors": "'self'",
}
SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{kind} {sources}" for kind, sources in CONTENT.items()),
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}


class SecurityHeaders:
    """Adds SECURITY_HEADERS to every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


async def healthz(_request: Request) -> Response:
    """200 as long as the screens answer; the body says how the feed is."""
    relay = services.relay()
    return JSONResponse({"status": "ok"} | (relay.health() if relay else {}))


async def live(websocket: WebSocket) -> None:
    """The relay's messages for one browser: refused before the handshake (403), without a good token (4401)."""
    relay = services.relay()
    if relay is None or not is_same_origin(websocket.headers, services.allowed_hosts()):
        await websocket.close(REFUSED)
        return
    await websocket.accept()
    if await _claims_of(websocket) is None:
        await websocket.close(BAD_TOKEN)
        return
    ended = await _until_one_ends(_pump(websocket, relay), websocket)
    if not ended:
        await websocket.close(COME_AGAIN)


def is_same_origin(headers: Headers, allowed_hosts: tuple[str, ...]) -> bool:
    """Whether a page of this very host asks, and the host is one of ours (else DNS rebinding would pass)."""
    host, origin = headers.get("host", ""), headers.get("origin", "")
    try:
        name, page = urlsplit(f"//{host}").hostname, urlsplit(origin)
    except ValueError:
        return False
    return name in (*LOOPBACK, *allowed_hosts) and page.scheme in ("http", "https") and page.netloc == host


async def _claims_of(websocket: WebSocket) -> live_token.Claims | None:
    with suppress(TimeoutError, WebSocketDisconnect, KeyError):
        token = await asyncio.wait_for(websocket.receive_text(), TOKEN_WITHIN_S)
        return live_token.check(token, services.secret(), time.time())
    return None


async def _pump(websocket: WebSocket, relay: Relay) -> None:
    with relay.viewer() as viewer, suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await websocket.send_text(await viewer.waiting.get())


async def _until_one_ends(pump: Any, websocket: WebSocket) -> bool:
    """Whether the browser went away before LIFE_S was over."""
    tasks = {asyncio.create_task(pump), asyncio.create_task(_gone(websocket))}
    done, pending = await asyncio.wait(tasks, timeout=LIFE_S, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return bool(done)


async def _gone(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
