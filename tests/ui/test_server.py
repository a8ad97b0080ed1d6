import pytest
from starlette.datastructures import Headers

from cockpit.ui.server import is_same_origin

HOST = "127.0.0.1:8501"


@pytest.mark.parametrize(
    ("origin", "host", "is_ours"),
    [
        (f"http://{HOST}", HOST, True),
        ("http://localhost:8501", "localhost:8501", True),
        ("http://[::1]:8501", "[::1]:8501", True),
        ("https://cockpit.example", "cockpit.example", True),
        ("https://evil.example", HOST, False),
        ("http://127.0.0.1:9999", HOST, False),
        ("http://rebound.example:8501", "rebound.example:8501", False),
        ("null", HOST, False),
        ("file://", HOST, False),
        ("", HOST, False),
        (f"http://{HOST}", "", False),
        (f"http://user@{HOST}", HOST, False),
        ("http://[broken", "[broken", False),
    ],
)
def test_only_our_own_pages_under_our_own_names_may_listen(origin: str, host: str, is_ours: bool) -> None:  # noqa: FBT001
    headers = Headers({"origin": origin, "host": host})
    assert is_same_origin(headers, ("cockpit.example",)) is is_ours


def test_a_client_that_says_no_origin_is_refused() -> None:
    assert not is_same_origin(Headers({"host": HOST}), ())
