"""The operational page in a real Chromium, over real websockets."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

from cockpit.i18n.translate import translate
from cockpit.kpis.live import Snapshot
from tests.browser.conftest import Cockpit, Witness, replace, shop
from tests.browser.feed import empty, now_ms
from tests.processes import until

pytestmark = pytest.mark.browser

ALIVE_MS = 20_000


def opened(page: Page, cockpit: Cockpit, path: str = "operational?lang=en") -> Locator:
    """The live component, once it shows numbers."""
    page.goto(cockpit.url(path))
    panel = page.get_by_test_id("live")
    expect(panel).to_have_attribute("data-state", "live", timeout=ALIVE_MS)
    return panel


def figure(page: Page, kpi: str) -> Locator:
    return page.locator(f'[data-kpi="{kpi}"]')


def number(page: Page, kpi: str) -> float:
    return float(figure(page, kpi).first.get_attribute("data-value") or "nan")


def await_ticks(page: Page, ticks: int) -> None:
    """Wait until the page has drawn `ticks` more snapshots."""
    seen = int(page.get_by_test_id("live").get_attribute("data-seq") or 0)
    page.wait_for_function(
        f"Number(document.querySelector('.ck-live').dataset.seq) >= {seen + ticks}", timeout=ALIVE_MS
    )


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_reads_in_both_languages_both_themes_and_on_a_phone(
    chromium: Browser, cockpit: Cockpit, language: str, scheme: str, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="fr-FR")  # type: ignore[arg-type]
    page = context.new_page()
    witness = Witness(page)
    panel = opened(page, cockpit, f"operational?lang={language}")
    expect(panel).to_have_attribute("data-theme", scheme)
    expect(panel).to_have_attribute("data-language", language)
    expect(panel.get_by_text(translate("live.live", language), exact=True)).to_be_visible()
    for kpi in ("active_sessions", "queue", "gross_margin"):
        tile = page.locator(f'[data-tile="{kpi}"]')
        expect(tile.get_by_text(translate(f"kpi.{kpi}.label", language), exact=True)).to_be_visible()
        expect(tile.get_by_text(translate(f"kpi.{kpi}.window", language), exact=True)).to_be_visible()
    separator = {"pt": ".", "en": ","}[language]
    expect(figure(page, "events_today")).to_contain_text(separator)
    expect(page.locator(".js-plotly-plot")).to_have_count(3, timeout=ALIVE_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert witness.errors == []
    context.close()


def test_a_tick_changes_tiles_without_a_rerun_and_without_a_remount(
    page: Page, cockpit: Cockpit, witness: Witness
) -> None:
    panel = opened(page, cockpit)
    plot = page.locator('[data-chart="latency"].js-plotly-plot')
    expect(plot).to_be_visible(timeout=ALIVE_MS)
    plot.evaluate("node => { node.__mine = true; node.querySelector('.main-svg').__mine = true }")
    plot.evaluate(
        "node => Plotly.relayout(node, {'xaxis.range[0]': '2001-01-01 10:00', 'xaxis.range[1]': '2001-01-01 11:00'})"
    )
    await_ticks(page, 4)
    witness.frames.clear()
    before = number(page, "events_today")
    await_ticks(page, 12)
    assert number(page, "events_today") > before
    assert witness.frames == []
    assert plot.evaluate("node => [node.__mine, node.querySelector('.main-svg').__mine]") == [True, True]
    assert plot.evaluate("node => node.layout.xaxis.range[0]").startswith("2001-01-01 10:00")
    expect(panel).to_have_attribute("data-mounts", "1")
    assert witness.errors == []


def test_a_day_is_drawn_from_history_and_the_live_hour_with_at_most_600_points(page: Page, cockpit: Cockpit) -> None:
    opened(page, cockpit, "operational?lang=en&win=24h")
    plot = page.locator('[data-chart="events"].js-plotly-plot')
    expect(plot).to_be_visible(timeout=ALIVE_MS)
    assert cockpit.history.asked[-1]["step_minutes"] == 3
    until(lambda: len(plot.evaluate("node => node.data[0].x")) > 500, 20, "the live hour is drawn behind the history")
    times = plot.evaluate("node => node.data[0].x")
    assert len(times) <= 600
    assert times == sorted(set(times))
    live = plot.evaluate("node => node.data[0].y.at(-1)")
    hours_ago = plot.evaluate("node => node.data[0].y[100]")
    assert 0.3 < live / hours_ago < 3, "three minutes of history are drawn per minute"


def test_the_screen_says_what_the_feed_says(page: Page, cockpit: Cockpit) -> None:
    chosen = replace(shop(5, True), demo=False)
    cockpit.feed.make = lambda seq, full: replace(
        chosen, seq=seq, full=full, published_at=now_ms(), last_received_at=now_ms()
    )
    opened(page, cockpit)
    scope, today = chosen.scopes["all"], chosen.scopes["all"].today
    shown = {
        "active_sessions": scope.active_sessions,
        "events_per_minute": scope.events_per_minute,
        "deliveries_per_minute": scope.deliveries_per_minute,
        "error_rate_5m": scope.error_rate_5m,
        "latency_p50_ms": scope.latency_5m.p50_ms,
        "latency_p95_ms": scope.latency_5m.p95_ms,
        "latency_p99_ms": scope.latency_5m.p99_ms,
        "queue_lag_s": chosen.queue.oldest_age_s,
        "queue_events": chosen.queue.events,
        "events_today": today.events,
        "conversion_rate": today.conversion_rate,
        "profiles_today": today.profiles,
        "buyers_today": today.buyers,
        "orders_today": today.orders,
        "revenue_today": today.revenue_cents,
        "revenue_per_profile_cents": today.revenue_per_profile_cents,
        "gross_margin_cents": today.gross_margin_cents,
        "margin_coverage": today.margin_coverage,
        "intake_received": chosen.intake_today.received,
        "intake_stored": chosen.intake_today.stored,
        "intake_duplicate": chosen.intake_today.duplicate,
        "intake_refused": chosen.intake_today.refused,
        **{f"events_today:{name}": count for name, count in today.events_by_name.items()},
    }
    for kpi, value in shown.items():
        assert value is not None
        assert number(page, kpi) == pytest.approx(value), kpi
        assert figure(page, kpi).count() == 1, kpi
    email = page.get_by_test_id("matrix").locator('[data-channel="email"]')
    expect(email).to_have_attribute("data-state", "silent")
    expect(email.locator('[data-kpi="matrix_error"]')).to_have_text("—")
    expect(page.locator(".ck-demo")).to_be_hidden()


def test_segments_below_twenty_sessions_are_not_detailed(page: Page, cockpit: Cockpit) -> None:
    opened(page, cockpit)
    push = page.get_by_test_id("sessions").locator('[data-channel="push"]')
    cells = push.locator("td").all_inner_texts()
    assert set(cells[:-1]) == {"<20"}
    assert int(cells[-1]) >= 20


def test_the_badge_says_demo_while_the_demo_sends(page: Page, cockpit: Cockpit) -> None:
    opened(page, cockpit)
    expect(page.locator(".ck-demo")).to_be_visible()
    page.goto(cockpit.url("governance?lang=en"))
    expect(page.locator(".ck-demo")).to_be_visible(timeout=ALIVE_MS)


def test_the_strip_turns_red_when_the_feed_stops_and_recovers_by_itself(
    page: Page, cockpit: Cockpit, witness: Witness
) -> None:
    panel = opened(page, cockpit)
    page.locator(".ck-body").evaluate("node => { node.__mine = true }")
    witness.frames.clear()
    cockpit.feed.stop()
    expect(panel).to_have_attribute("data-state", "stopped", timeout=10_000)
    expect(page.get_by_test_id("stopped")).to_contain_text("No update since")
    expect(page.locator(".ck-body")).to_have_css("opacity", "0.6")
    assert witness.frames == [], "the browser says so by itself"
    cockpit.feed.start()
    expect(panel).to_have_attribute("data-state", "live", timeout=10_000)
    expect(page.get_by_test_id("stopped")).to_be_hidden()
    assert page.locator(".ck-body").evaluate("node => node.__mine")
    assert witness.errors == []


def test_a_silent_feed_is_late_before_it_is_stopped(page: Page, cockpit: Cockpit) -> None:
    panel = opened(page, cockpit)
    cockpit.feed.is_silent = True
    expect(panel).to_have_attribute("data-state", "delayed", timeout=10_000)
    expect(page.get_by_test_id("strip")).to_contain_text("No message for")
    cockpit.feed.is_silent = False
    expect(panel).to_have_attribute("data-state", "live", timeout=10_000)


def test_numbers_that_no_event_feeds_any_more_are_called_old(page: Page, cockpit: Cockpit) -> None:
    """The warehouse lives and publishes, the gateway is dead."""

    def quiet(seq: int, full: bool) -> Snapshot:  # noqa: FBT001
        return replace(shop(seq, full), last_received_at=now_ms() - 59_000)

    cockpit.feed.make = quiet
    page.goto(cockpit.url("operational?lang=en"))
    expect(page.get_by_test_id("live")).to_have_attribute("data-state", "stopped", timeout=ALIVE_MS)
    expect(page.get_by_test_id("stopped")).to_contain_text("No event received since")


def test_before_the_first_event_the_page_says_what_to_do(page: Page, cockpit: Cockpit, witness: Witness) -> None:
    cockpit.feed.make = lambda seq, full: replace(empty(), seq=seq, full=full)
    cockpit.history.is_empty = True
    opened(page, cockpit, "operational?lang=en&win=15m")  # a window that no test before has put into the cache
    expect(page.get_by_test_id("note")).to_contain_text("No events yet")
    expect(figure(page, "conversion_rate")).to_have_text("—")
    expect(figure(page, "revenue_today")).to_have_text("—")
    expect(page.locator(".ck-empty").first).to_be_visible()
    assert witness.errors == []


def test_pause_freezes_the_numbers_and_resume_brings_them_up_to_date(page: Page, cockpit: Cockpit) -> None:
    panel = opened(page, cockpit)
    page.get_by_text("Pause", exact=True).click()
    expect(panel).to_have_attribute("data-state", "paused", timeout=ALIVE_MS)
    assert "pause=true" in page.url
    frozen = number(page, "events_today")
    seq = cockpit.feed.seq
    until(lambda: cockpit.feed.seq >= seq + 8)
    assert number(page, "events_today") == frozen
    page.get_by_text("Pause", exact=True).click()
    expect(panel).to_have_attribute("data-state", "live", timeout=ALIVE_MS)
    assert number(page, "events_today") > frozen
    expect(panel).to_have_attribute("data-mounts", "1")


def test_a_channel_in_the_url_chooses_its_numbers_and_a_choice_goes_into_the_url(page: Page, cockpit: Cockpit) -> None:
    panel = opened(page, cockpit, "operational?lang=en&channel=whatsapp&win=15m")
    expect(panel).to_have_attribute("data-scope", "whatsapp")
    expect(panel).to_have_attribute("data-window", "15m")
    whatsapp = number(page, "events_today")
    page.get_by_role("combobox").click()
    page.get_by_role("option", name="Site").click()
    expect(panel).to_have_attribute("data-scope", "site", timeout=ALIVE_MS)
    assert number(page, "events_today") > whatsapp
    page.wait_for_url("**channel=site**")
    expect(panel).to_have_attribute("data-mounts", "1")


def test_the_language_changes_in_place_and_is_kept_by_the_navigation(page: Page, cockpit: Cockpit) -> None:
    panel = opened(page, cockpit, "operational")
    expect(panel).to_have_attribute("data-language", "pt")
    page.get_by_role("radio", name="en").click()
    expect(panel).to_have_attribute("data-language", "en", timeout=ALIVE_MS)
    expect(page.get_by_text("Events per minute, by type")).to_be_visible()
    page.get_by_role("link", name="Experiments").click()
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible(timeout=ALIVE_MS)
    assert "lang=en" in page.url


def test_a_chart_can_be_read_as_a_table(page: Page, cockpit: Cockpit) -> None:
    opened(page, cockpit)
    events = page.locator('[data-panel="events"]')
    expect(events.locator(".js-plotly-plot")).to_have_attribute(
        "aria-label", re.compile("Events per minute, by type: All ")
    )
    events.get_by_role("button", name="Table").click()
    rows = events.locator("tbody tr")
    expect(rows.nth(59)).to_be_visible()
    assert rows.count() in {60, 61}  # an hour that does not begin with a minute touches 61 of them
    assert len(rows.first.locator("td").all()) == 6
    events.get_by_role("button", name="Chart").click()
    expect(events.locator(".js-plotly-plot")).to_be_visible()


def test_a_definition_is_shown_on_keyboard_focus(page: Page, cockpit: Cockpit) -> None:
    opened(page, cockpit)
    tile = page.locator('[data-tile="gross_margin"]')
    expect(tile.get_by_role("tooltip")).to_be_hidden()
    page.locator('[data-tile="revenue_per_profile"] .ck-info').focus()
    page.keyboard.press("Tab")
    expect(tile.get_by_role("tooltip")).to_be_visible()


def test_a_used_up_token_is_renewed_without_a_full_rerun_or_a_remount(page: Page, cockpit: Cockpit) -> None:
    refusals: list[WebSocketRoute] = []

    def once(route: WebSocketRoute) -> None:
        if refusals:
            route.connect_to_server()
        else:
            refusals.append(route)
            route.on_message(lambda _: route.close(code=4401))

    page.route_web_socket("**/live", once)
    panel = opened(page, cockpit)
    assert len(refusals) == 1
    expect(panel).to_have_attribute("data-mounts", "1")


def test_without_websockets_the_page_polls_and_returns_when_they_work(page: Page, cockpit: Cockpit) -> None:
    is_blocked = [True]
    page.route_web_socket("**/live", lambda route: route.close() if is_blocked[0] else route.connect_to_server())
    panel = opened(page, cockpit)
    before = number(page, "events_today")
    await_ticks(page, 8)
    assert number(page, "events_today") > before
    expect(panel).to_have_attribute("data-transport", "poll")
    is_blocked[0] = False
    expect(panel).to_have_attribute("data-transport", "ws", timeout=ALIVE_MS)
    await_ticks(page, 8)
    expect(panel).to_have_attribute("data-mounts", "1")
