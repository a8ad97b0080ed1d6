"""What a person can do with an experiment: register it, start it, hold it, end it. The warehouse checks and records.

Until there is a login, who asks and in which role is typed in.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import streamlit as st

from cockpit.errors import CallerError, WarehouseUnreachable
from cockpit.experiments.metrics import METRICS
from cockpit.ui.language import translate
from cockpit.ui.reads import act
from cockpit.views.experiment_words import Words
from cockpit.views.experiments import MAY_ACT, Detail, Form, registration_of

ICONS = {
    "start": ":material/play_arrow:",
    "pause": ":material/pause:",
    "resume": ":material/play_arrow:",
    "stop": ":material/stop:",
    "conclude": ":material/task_alt:",
}
SECONDARY = ["revenue_per_profile", "aov", "sessions_per_profile", "margin_per_profile"]
GUARDED = ["unsubscribe_rate_profile"]


def draw(detail: Detail, words: Words) -> None:
    """The buttons of what is possible now; none for a version that is over or was never registered."""
    if not detail.actions:
        return
    st.subheader(translate("experiments.commands"), anchor=False)
    st.caption(translate("experiments.commands_help"))
    standing = detail.report.standing
    with st.form("commands", border=True):
        actor, role = _who()
        details = _conclusion() if "conclude" in detail.actions else _reason()
        with st.container(horizontal=True):
            pressed = [
                action
                for action in detail.actions
                if st.form_submit_button(
                    words.say(f"action.{action}").capitalize(), icon=ICONS[action], key=f"do_{action}"
                )
            ]
    if pressed and _is_complete(actor, details):
        who = {"actor": actor, "role": role}
        what = {"experiment_id": standing.experiment_id, "version": standing.version, "details": details}
        _ask({"action": pressed[0], **who, **what})


def register(words: Words) -> None:
    """The form of a registration, in an expander of its own."""
    with st.expander(translate("experiments.register"), icon=":material/add:"):
        st.caption(translate("experiments.register_help"))
        with st.form("register", border=False):
            form = _form(words)
            actor, role = _who()
            is_sent = st.form_submit_button(translate("experiments.register"), type="primary", key="do_register")
        if is_sent and _is_complete(actor, {}):
            _register(form, actor, role)


def _register(form: Form, actor: str, role: str) -> None:
    try:
        registration = registration_of(form)
    except CallerError as error:
        st.error(str(error))
        return
    what = {"experiment_id": registration.experiment_id, "version": registration.version}
    details = {"registration": msgspec.to_builtins(registration)}
    _ask({"action": "register", "actor": actor, "role": role, **what, "details": details})


def _ask(command: Mapping[str, Any]) -> None:
    try:
        act("experiment", **command)
    except CallerError as error:
        st.error(translate("experiments.refused", reason=str(error)))
    except WarehouseUnreachable:
        st.error(translate("experiments.undone"))
    else:
        st.success(translate("experiments.done", action=translate(f"experiments.action.{command['action']}")))


def _who() -> tuple[str, str]:
    left, right = st.columns(2)
    actor: str = left.text_input(translate("experiments.actor"), persist_state="session", key="actor")
    role: str = right.selectbox(translate("experiments.role_of"), MAY_ACT, key="role")
    return actor.strip(), role


def _reason() -> Mapping[str, str]:
    reason = st.text_input(translate("experiments.reason"), key="reason").strip()
    return {"reason": reason} if reason else {}


def _conclusion() -> Mapping[str, str]:
    return {
        name: st.text_area(translate(f"experiments.{name}"), key=name, height=80).strip()
        for name in ("decision", "learning")
    }


def _is_complete(actor: str, details: Mapping[str, str]) -> bool:
    missing = "no_actor" if not actor else "no_decision" if details.get("decision") == "" else None
    if missing:
        st.error(translate(f"experiments.{missing}"))
    return missing is None


def _form(words: Words) -> Form:
    def say(key: str) -> str:
        return translate(f"experiments.form.{key}")

    names = st.columns(4)
    figures = st.columns(4)
    return Form(
        experiment_id=names[0].text_input(say("experiment_id"), key="f_id"),
        version=names[1].text_input(say("version"), "1", key="f_version"),
        use_case=names[2].text_input(say("use_case"), key="f_case", help=say("use_case_help")),
        owner=names[3].text_input(say("owner"), key="f_owner"),
        hypothesis=st.text_area(say("hypothesis"), key="f_hypothesis", height=68),
        control_percent=figures[0].number_input(say("control"), 0.01, 99.99, 5.0, key="f_control"),
        mde_percent=figures[1].number_input(say("mde"), 0.1, 1000.0, 20.0, key="f_mde"),
        target_percent=figures[2].number_input(say("target"), value=None, key="f_target", placeholder="—"),
        minimum_days=int(figures[3].number_input(say("minimum_days"), 0, 365, 14, key="f_days")),
        treatments=st.text_input(say("treatments"), "treatment", key="f_treatments", help=say("treatments_help")),
        primary=st.selectbox(say("primary"), list(METRICS), format_func=words.metric, key="f_primary"),
        secondary=st.multiselect(
            say("secondary"), list(METRICS), SECONDARY, format_func=words.metric, key="f_secondary"
        ),
        guardrails=st.multiselect(say("guardrails"), list(METRICS), GUARDED, format_func=words.metric, key="f_guarded"),
        limit_percent=st.number_input(say("limit"), value=20.0, key="f_limit", help=say("limit_help")),
        is_bandit=st.checkbox(say("bandit"), key="f_bandit"),
        is_adjusted=st.checkbox(say("adjusted"), key="f_adjusted"),
    )
