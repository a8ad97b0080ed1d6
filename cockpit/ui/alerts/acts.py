"""What a person can do about an alert: take it, silence it, try the way to a receiver. The warehouse records it.

Until there is a login, who asks and in which role is typed in, once for the whole page. Each act is one click then.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from cockpit.alerts.messages import span
from cockpit.alerts.silences import Silence
from cockpit.errors import CallerError, WarehouseUnreachable
from cockpit.ui.experiments.frame import plain
from cockpit.ui.language import translate
from cockpit.ui.reads import act
from cockpit.views.alert_words import Words
from cockpit.views.alerts import Shown, Wish, ack_of, end_of, missing, quiet_of

MAY_ACT = ("operator", "admin")
HOURS = (0.5, 1.0, 2.0, 4.0, 8.0, 24.0)
USUAL = 2  # of HOURS
OPEN = None  # until the episode ends
SAID = "alerts_said"
SHOWN_FOR = timedelta(seconds=30)


def who() -> None:
    """Name, role, duration and note: what the buttons send along. Typing in them redraws nothing."""
    with st.container(border=True, key="alerts_who"):
        name, role, lasting, note = st.columns([3, 2, 2, 5])
        name.text_input(
            translate("alerts.page.by"),
            persist_state="session",
            key="alerts_by",
            help=translate("alerts.page.who_help"),
            on_change="ignore",
        )
        roles = {code: translate(f"alerts.page.role_name.{code}") for code in MAY_ACT}
        role.selectbox(
            translate("alerts.page.role"), MAY_ACT, format_func=roles.__getitem__, key="alerts_role", on_change="ignore"
        )
        lasting.selectbox(
            translate("alerts.page.lasting"),
            (*HOURS, OPEN),
            index=USUAL,
            format_func=_lasting,
            key="alerts_hours",
            on_change="ignore",
        )
        note.text_input(
            translate("alerts.page.note"),
            key="alerts_note",
            help=translate("alerts.page.note_help"),
            on_change="ignore",
        )


def buttons(shown: Shown, words: Words) -> None:
    """One click each."""
    known = shown.alert.fingerprint
    with st.container(horizontal=True, gap="small"):
        if shown.alert.is_open:
            label, icon = translate("alerts.page.acknowledge"), ":material/front_hand:"
            st.button(label, icon=icon, key=f"ack_{known}", on_click=acknowledge, args=(shown, words))
        label, icon = translate("alerts.page.silence"), ":material/notifications_off:"
        st.button(label, icon=icon, key=f"quiet_{known}", on_click=silence, args=(shown, words))
        if shown.rule.page != "/alerts":
            st.link_button(translate("alerts.page.open"), shown.rule.page, icon=":material/arrow_forward:")
        if shown.rule.runbook.startswith(("https://", "http://")):
            st.link_button(translate("alerts.page.runbook"), shown.rule.runbook, icon=":material/menu_book:")


def end(found: Silence) -> None:
    """A button; the silence of the same id takes its place, and ends now."""
    label = translate("alerts.page.end_silence")
    st.button(label, icon=":material/notifications_active:", key=f"end_{found.id}", on_click=ended, args=(found,))


def trial(receivers: tuple[str, ...]) -> None:
    """A message to a receiver, on purpose."""
    with st.popover(translate("alerts.page.test"), icon=":material/send:", help=translate("alerts.page.test_help")):
        receiver = st.selectbox(translate("alerts.page.receiver"), receivers, key="alerts_receiver")
        st.button(translate("alerts.page.send_test"), key="alerts_test", on_click=tested, args=(receiver,))


def acknowledge(shown: Shown, words: Words) -> None:
    wish, now = _wish(), datetime.now(UTC)
    if _is_complete(wish):
        _ask("alert_ack", ack_of(shown, wish, now), translate("alerts.page.acknowledged", what=words.title(shown)))


def silence(shown: Shown, words: Words) -> None:
    wish, now = _wish(), datetime.now(UTC)
    if _is_complete(wish, of_silence=True):
        body = quiet_of(shown, wish, now)
        until = words.moment(datetime.fromisoformat(body["ends"]))
        _ask("alert_silence", body, translate("alerts.page.silenced", what=words.title(shown), until=until))


def ended(found: Silence) -> None:
    wish = _wish()
    if _is_complete(wish):
        body = end_of(found, wish, datetime.now(UTC))
        _ask("alert_silence", body, translate("alerts.page.silence_ended"))


def tested(receiver: str) -> None:
    wish = _wish()
    if _is_complete(wish):
        body = {"receiver": receiver, "by": wish.by, "role": wish.role}
        _ask("alert_test", body, translate("alerts.page.tested", receiver=receiver))


def said() -> None:
    """What became of the last act, for a while."""
    kind, text, at = st.session_state.get(SAID, ("", "", None))
    if at is not None and datetime.now(UTC) - at < SHOWN_FOR:
        (st.success if kind == "done" else st.error)(text)


def _ask(kind: str, body: dict[str, Any], done: str) -> None:
    try:
        act(kind, **body)
    except CallerError as error:
        _say("error", translate("alerts.page.refused", reason=str(error)))
    except WarehouseUnreachable:
        _say("error", translate("alerts.page.undone"))
    else:
        _say("done", done)


def _is_complete(wish: Wish, *, of_silence: bool = False) -> bool:
    if lacking := missing(wish, of_silence=of_silence):
        _say("error", translate(f"alerts.page.{lacking}"))
    return lacking is None


def _wish() -> Wish:
    asked = st.session_state
    hours = asked.get("alerts_hours", OPEN)
    lasting = OPEN if hours is OPEN else timedelta(hours=hours)
    return Wish(asked.get("alerts_by", "").strip(), asked["alerts_role"], lasting, asked.get("alerts_note", "").strip())


def _say(kind: str, text: str) -> None:
    st.session_state[SAID] = kind, plain(text), datetime.now(UTC)


def _lasting(hours: float | None) -> str:
    return translate("alerts.page.until_end") if hours is OPEN else span(hours * 3600)
