"""The screens: `streamlit run app.py`. Pages are in `pages/`, what runs before each one in `cockpit/ui/`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from cockpit.ui import assets, services
from cockpit.ui.server import SecurityHeaders, healthz, live

logging.getLogger("cockpit").setLevel(logging.INFO)


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    assets.provide()
    relay = asyncio.create_task(services.start_relay().run())
    yield
    relay.cancel()
    with suppress(asyncio.CancelledError):
        await relay


app = st.App(
    "cockpit/ui/entry.py",
    lifespan=lifespan,
    routes=[Route("/healthz", healthz), WebSocketRoute("/live", live)],
    middleware=[Middleware(SecurityHeaders)],
)
