"""The page in a browser: every view, both themes, narrow and wide, on paper, by keyboard, with hostile text."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from racelint.model.finding import Verdict, Witness, WitnessStep
from racelint.model.result import ScanResult
from tests.browser.conftest import Show, look
from tests.report.pages import CONFIRMED, HOSTILE, finding, result

PLAIN, PACKED = 12, 1_000


def all_of(browser: Chrome, selector: str) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, selector)


def one(browser: Chrome, selector: str) -> WebElement:
    """The first such element, once it is there: findings are drawn when they are opened."""
    WebDriverWait(browser, 30).until(lambda driver: all_of(driver, selector))
    return browser.find_element(By.CSS_SELECTOR, selector)


def shown(browser: Chrome) -> int:
    return len(all_of(browser, "details.finding:not([hidden])"))


def open_all(browser: Chrome) -> None:
    browser.execute_script("for (const details of document.querySelectorAll('details')) details.open = true")


def overflow(browser: Chrome) -> int:
    """Pixels by which the page is wider than the window."""
    width: int = browser.execute_script(
        "const root = document.documentElement; return root.scrollWidth - root.clientWidth"
    )
    return width


def click(browser: Chrome, selector: str) -> None:
    """Click on the first of these, scrolled away from under the header."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", one(browser, selector))
    one(browser, selector).click()


# Colours behind text are not told where there is a gradient: ours only draw bars and lines beside it.
WITHOUT_GRADIENTS = """
const style = document.createElement("style");
style.textContent = ".code p, .legend, .beats { background-image: none !important }";
document.head.append(style);
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_everybody_can_use_it(show: Show, scheme: str, width: int) -> None:
    browser = show(result(PLAIN))
    look(browser, scheme, width)
    open_all(browser)
    click(browser, "[data-go=first]")
    browser.execute_script(WITHOUT_GRADIENTS)
    found: dict[str, Any] = Axe().run(browser)
    assert [(violation["id"], violation["nodes"][0]["html"][:200]) for violation in found["violations"]] == []
    contrasts = sum(len(check["nodes"]) for check in found["passes"] if check["id"] == "color-contrast")
    assert contrasts > 500  # all of it was measured


@pytest.mark.parametrize("width", [320, 700, 1200])
def test_only_code_is_wider_than_the_window(show: Show, width: int) -> None:
    browser = show(result(PLAIN, text="a_name_without_end" * 20))
    look(browser, width=width)
    open_all(browser)
    assert overflow(browser) == 0


def test_the_theme_is_the_systems_until_another_is_chosen(show: Show) -> None:
    browser = show(result(PLAIN))
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = browser.execute_script(paper)
    look(browser, "dark")
    dark = browser.execute_script(paper)
    assert light != dark
    button = one(browser, "#theme")
    seen = []
    for _ in range(3):
        button.click()
        seen.append((button.text, browser.execute_script(paper)))
    assert seen == [("Theme: light", light), ("Theme: dark", dark), ("Theme: system", dark)]


def test_findings_are_filtered(show: Show) -> None:
    browser = show(result(PLAIN))
    assert shown(browser) == PLAIN
    Select(one(browser, "select[name=severity]")).select_by_visible_text("error")
    assert shown(browser) == 4
    Select(one(browser, "select[name=status]")).select_by_visible_text("confirmed")
    assert shown(browser) == 2
    assert one(browser, ".shown").text == "2 of 12 shown"
    one(browser, "input[type=search]").send_keys("nothing has this")
    assert shown(browser) == 0
    assert one(browser, "#none").is_displayed()


def test_bars_of_the_overview_filter(show: Show) -> None:
    browser = show(result(PLAIN, files=3))
    for name, count in (("severity", 4), ("status", 2), ("code", 2), ("path", 4), ("subject", 3)):
        click(browser, f"button[data-filter={name}]")
        assert shown(browser) == count, name
    click(browser, "[data-clear]")
    assert shown(browser) == PLAIN


def test_a_bar_leads_the_keyboard_to_what_it_leaves(show: Show) -> None:
    browser = show(result(PLAIN))
    one(browser, "button[data-filter=code]").send_keys(Keys.ENTER)
    ActionChains(browser).send_keys(Keys.TAB).perform()
    assert browser.switch_to.active_element.get_attribute("name") == "text"


def test_the_lock_order_is_read_down_on_a_narrow_screen(show: Show) -> None:
    browser = show(result(1))
    for width, rows in ((1200, 1), (360, 4)):
        look(browser, width=width)
        assert len({cell.rect["y"] for cell in all_of(browser, ".order tbody tr:first-child td")}) == rows


def test_an_address_opens_its_finding(show: Show) -> None:
    browser = show(result(PLAIN))
    anchor = all_of(browser, "details.finding")[5].get_attribute("id")
    browser.execute_script(f"location.hash = '{anchor}'")
    WebDriverWait(browser, 10).until(lambda driver: one(driver, f"#{anchor}").get_attribute("open"))
    click(browser, "details.finding summary")
    first = all_of(browser, "details.finding")[0].get_attribute("id")
    assert browser.current_url.endswith(f"#{first}")


def beats(browser: Chrome) -> list[str]:
    """For each step whether it is done, the present one, or to come."""
    found = []
    for beat in all_of(browser, ".weave .beats > li"):
        classes = (beat.get_attribute("class") or "").split()
        found.append("now" if "now" in classes else "future" if "future" in classes else "done")
    return found[:5]


def values(browser: Chrome) -> list[str]:
    return [cell.text for cell in all_of(browser, ".values tbody tr:first-child > *")[:4]]


def test_an_interleaving_is_stepped_through(show: Show) -> None:
    browser = show(result(1))
    click(browser, "details.finding summary")
    one(browser, ".controls")
    assert beats(browser) == ["done"] * 5
    assert values(browser) == ["_balance", "99", "99", "150 (stale)"]
    click(browser, "[data-go=first]")
    assert beats(browser) == ["now", *["future"] * 4]
    assert values(browser) == ["_balance", "100", "100", "–"]
    click(browser, "[data-go=on]")
    assert beats(browser) == ["done", "now", *["future"] * 3]
    click(browser, "[data-go=back]")
    click(browser, "[data-go=back]")
    assert beats(browser)[0] == "now"
    click(browser, "[data-go=wrong]")
    assert beats(browser) == [*["done"] * 4, "now"]
    assert "overwrites _balance = 150" in one(browser, "#said").get_attribute("textContent")


def test_an_interleaving_is_stepped_through_by_keyboard(show: Show) -> None:
    browser = show(result(1))
    keys = ActionChains(browser)
    one(browser, "details.finding summary").send_keys(Keys.ENTER)
    one(browser, "[data-go=first]").send_keys(Keys.ENTER)
    keys.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT).perform()
    assert one(browser, ".controls output").text == "step 2 of 5"
    one(browser, ".controls input").send_keys(Keys.END)
    assert one(browser, ".controls output").text == "step 5 of 5"


def test_each_step_is_said_and_marked_for_those_who_listen(show: Show) -> None:
    browser = show(result(1))
    click(browser, "details.finding summary")
    click(browser, "[data-go=first]")
    said = " ".join((one(browser, "#said").get_attribute("textContent") or "").split())
    assert said == "Step 1 of 5. Account.charge: 11 self._balance -= fee reads _balance = 100"
    assert one(browser, ".beats [aria-current=step]") == all_of(browser, ".beats > li")[0]
    assert one(browser, ".controls output").get_attribute("aria-live") == "off"
    assert one(browser, ".controls input").get_attribute("aria-valuetext") == "1 of 5"


@pytest.mark.parametrize(
    ("selector", "keys", "taken"),
    [
        (".controls button", "{}", True),
        (".controls button", "{altKey: true}", False),
        (".controls button", "{metaKey: true}", False),
        (".values", "{}", False),
    ],
)
def test_the_browser_keeps_its_own_keys(show: Show, selector: str, keys: str, taken: bool) -> None:
    browser = show(result(1))
    click(browser, "details.finding summary")
    one(browser, selector)
    pressed = browser.execute_script(
        f"const event = new KeyboardEvent('keydown', {{key: 'ArrowLeft', bubbles: true, cancelable: true, ...{keys}}});"
        "return !document.querySelector(arguments[0]).dispatchEvent(event)",
        selector,
    )
    assert pressed == taken


def proved(witness: Witness) -> ScanResult:
    """A result with one finding that this witness proves."""
    verdict: Verdict = msgspec.structs.replace(CONFIRMED, witness=witness)
    return msgspec.structs.replace(result(1), findings=(msgspec.structs.replace(finding(), verdict=verdict),))


@pytest.mark.parametrize(
    ("threads", "width", "columns"), [(2, 1200, 2), (5, 1200, 5), (8, 1200, 1), (5, 800, 1), (2, 360, 1)]
)
def test_threads_stand_side_by_side_where_there_is_room(show: Show, threads: int, width: int, columns: int) -> None:
    steps = [WitnessStep(n % threads, "bank.py", 11, "balance -= 1", f"read balance = {n}") for n in range(threads)]
    browser = show(proved(Witness(tuple(f"Account.method_{n}" for n in range(threads)), tuple(steps))))
    look(browser, width=width)
    click(browser, "details.finding summary")
    one(browser, ".controls")
    heads = all_of(browser, ".heads > span")
    WebDriverWait(browser, 10).until(lambda _: heads[0].is_displayed() == (columns > 1))
    tops = {beat.rect["x"] for beat in all_of(browser, ".beats > li")}
    assert len(tops) == threads  # a lane of its own, or an indentation
    assert [who.is_displayed() for who in all_of(browser, ".who")] == [True] * threads
    if columns == 1:
        assert all_of(browser, ".who")[-1].size["width"] > 20


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_the_step_shown_stays_in_sight_with_its_controls(show: Show, width: int) -> None:
    steps = [WitnessStep(n // 3 % 2, "bank.py", 11, f"balance -= {n}", f"read balance = {n}") for n in range(200)]
    browser = show(proved(Witness(("charge", "deposit"), tuple(steps))))
    look(browser, width=width)
    click(browser, "details.finding summary")
    click(browser, "[data-go=first]")
    for move, times in (("on", 150), ("back", 40), ("last", 1)):
        for _ in range(times):
            browser.execute_script("document.querySelector(`[data-go=${arguments[0]}]`).click()", move)
        above, top, bottom, below = browser.execute_script(
            "const of = (selector) => document.querySelector(selector).getBoundingClientRect();"
            "return [of('.controls').top, of('.beats .now').top, of('.beats .now').bottom, of('.stepper').bottom]"
        )
        assert above >= 0
        assert below <= top + 1 and bottom <= 900, move


def test_a_thread_that_goes_on_says_on_which_line(show: Show) -> None:
    browser = show(result(1))
    click(browser, "details.finding summary")
    assert "11 …" in all_of(browser, ".beats > li")[-1].text.splitlines()


def test_the_replay_command_is_copied(show: Show) -> None:
    browser = show(result(1))
    browser.execute_script("navigator.clipboard.writeText = async (text) => { document.copied = text; }")
    click(browser, "details.finding summary")
    click(browser, ".replay button")
    WebDriverWait(browser, 10).until(lambda driver: one(driver, ".replay button").text == "Copied")
    assert browser.execute_script("return document.copied") == "racelint replay rl1:eNp9kMEK"


@pytest.mark.parametrize("number", [PLAIN, PACKED])
def test_text_from_the_scanned_code_stays_text(show: Show, number: int) -> None:
    browser = show(result(number, files=3, text=HOSTILE))
    open_all(browser)
    WebDriverWait(browser, 30).until(lambda driver: all_of(driver, ".code"))
    assert "racelint report" in browser.title
    assert all_of(browser, "img") == []
    assert "document.title='owned'" in one(browser, ".code").text
    assert "U+202E" in one(browser, ".code").text


def test_a_thousand_findings_open_and_filter(show: Show) -> None:
    browser = show(result(PACKED, files=40))
    assert shown(browser) == PACKED
    assert all_of(browser, ".code") == []
    last = all_of(browser, "details.finding")[-1]
    browser.execute_script("arguments[0].open = true", last)
    WebDriverWait(browser, 30).until(lambda driver: last.find_elements(By.CSS_SELECTOR, ".code"))
    assert "self._balance" in last.find_element(By.CSS_SELECTOR, ".code").text
    one(browser, "input[type=search]").send_keys("module_7.py")
    assert shown(browser) == PACKED / 40


def test_paper_shows_everything(show: Show) -> None:
    browser = show(result(PLAIN))
    look(browser, media="print")
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert all(details.get_attribute("open") for details in all_of(browser, "details"))
    assert not one(browser, "#filters").is_displayed()
    assert not one(browser, ".controls").is_displayed()
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert not any(details.get_attribute("open") for details in all_of(browser, "details"))


def test_paper_has_lanes_for_few_threads_alone(show: Show) -> None:
    steps = tuple(WitnessStep(n % 7, "bank.py", 11, "balance -= 1", f"read balance = {n}") for n in range(7))
    browser = show(proved(Witness((), steps)))
    look(browser, media="print")
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert not one(browser, ".heads").is_displayed()


def test_paper_is_white(show: Show) -> None:
    browser = show(result(1))
    look(browser, "dark", media="print")
    browser.execute_script("document.documentElement.dataset.theme = 'dark'")
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_packed_page_says_above_its_findings_that_it_needs_scripts(show: Show, browser: Chrome) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(result(PACKED, files=40))
        assert "needs scripts" in one(browser, "#findings noscript").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_it_can_be_read_without_scripts(show: Show, browser: Chrome) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(result(1))
        click(browser, "details.finding summary")
        assert one(browser, ".code").is_displayed()
        assert not one(browser, "#filters").is_displayed()
        assert all(beat.is_displayed() for beat in all_of(browser, ".beats > li"))
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
