"""What a process of screens has once: its configuration, the secret it shares with the warehouse, the relay."""

import os
from functools import cache

import streamlit as st

from cockpit.config import Config, from_environ, shared_token
from cockpit.ui.relay import Relay
from cockpit.ui.warehouse import Warehouse

_relays: list[Relay] = []


@cache
def config() -> Config:
    return from_environ(os.environ)


@cache
def secret() -> str:
    """What screens and warehouse share. It signs the browsers' tokens too."""
    return shared_token(config())


def warehouse() -> Warehouse:
    return Warehouse.of(config())


def start_relay() -> Relay:
    """The process's one relay, made by the server's lifespan."""
    _relays[:] = [Relay(f"ws://{config().host}:{config().feed_port}/feed", secret())]
    return _relays[0]


def relay() -> Relay | None:
    """None when the pages run without the server around them."""
    return _relays[0] if _relays else None


def allowed_hosts() -> tuple[str, ...]:
    """Names under which people reach the screens, beside the loopback: Streamlit's own setting."""
    return tuple(st.get_option("server.allowedHosts") or ())
