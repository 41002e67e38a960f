"""Pages in a real browser: headless Chromium, what it fetched and what it complained of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 120_000  # milliseconds until a test that waits for a page in vain fails
SCRIPT_TITLE = "<script>document.title='owned'</script>"  # of a title
TWO_FRAMES = "new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
QUIET_FLAGS = (
    "--disable-background-networking", "--disable-component-update", "--disable-gpu", "--disable-quic",
    "--disable-sync", "--no-first-run",
)  # fmt: skip


@contextmanager
def chromium() -> Iterator[Any]:
    """Give the system's Chromium; skips the test where there is none."""
    path = next(filter(None, map(shutil.which, BROWSER_NAMES)), None)
    if path is None:
        pytest.skip("no Chromium found; install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET_FLAGS, "--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class OpenPage:
    """A page that is open. fetched: all addresses but its own; complaints: errors and warnings of the console."""

    page: Any
    requested_urls: list[str] = field(default_factory=list)
    console_errors: list[str] = field(default_factory=list)

    def texts(self, selector: str) -> list[str]:
        """Return the text of each element."""
        return [text.strip() for text in self.page.locator(selector).all_text_contents()]

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@contextmanager
def open_page(browser: Any, path: Path, width: int = 1200, scheme: str = "light") -> Iterator[OpenPage]:
    """Open a file, and wait until it is loaded and drawn."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(PATIENCE)
    result = OpenPage(page)
    address = path.as_uri()
    page.on("request", lambda request: result.requested_urls.append(request.url))
    page.on(
        "console",
        lambda message: result.console_errors.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: result.console_errors.append(str(error)))
    page.goto(address, wait_until="load")
    page.evaluate(TWO_FRAMES)
    result.requested_urls = [url for url in result.requested_urls if url != address and not url.startswith("data:")]
    yield result
    page.close()
