"""A real Chromium without a window; where there is none, these tests say so and are skipped."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from racelint.model.result import ScanResult
from tests.report.pages import page

SWITCHES = (
    *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"),
    *("disable-component-update", "disable-sync", "force-device-scale-factor=1"),
)
# The driver may come back from the page before it is read whole.
LOADED = "return location.protocol === 'file:' && document.readyState === 'complete'"
Show = Callable[[ScanResult], Chrome]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One browser for all tests; Debian calls the packages chromium and chromium-driver."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("the page is not tried in a browser: chromium and chromedriver are not installed")
    options = ChromeOptions()
    options.binary_location = program
    for switch in (*SWITCHES, f"user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(f"--{switch}")
    chrome = Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture
def show(browser: Chrome, tmp_path: Path) -> Iterator[Show]:
    """`show(result)` opens the page of a result, 1200 by 900; nothing may go wrong in it by the end of the test."""

    def opened(result: ScanResult) -> Chrome:
        path = tmp_path / "race.html"
        path.write_bytes(page(result).encode("utf-8", "backslashreplace"))
        browser.get(path.as_uri())
        WebDriverWait(browser, 30).until(lambda driver: driver.execute_script(LOADED))
        return browser

    browser.get("about:blank")
    browser.get_log("browser")
    look(browser)
    yield opened
    look(browser)
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def look(browser: Chrome, scheme: str = "light", width: int = 1200, media: str = "screen") -> None:
    """See the page as a reader with this colour scheme, width in pixels and medium does."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    size: dict[str, Any] = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
