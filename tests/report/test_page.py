"""The page as text; what a browser makes of it is tested in tests/browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelint.model.finding import Finding, Step, StepRole, Verdict
from racelint.model.fix import Edit
from racelint.model.overview import Coverage, LockEdge, Overview
from racelint.model.result import Problem, ScanResult
from racelint.report.html.page import MAX_BYTES
from racelint.report.html.patch import patch_of
from racelint.report.html.sides import sides_of, split
from racelint.report.html.source import Mark, SourceBook
from racelint.report.html.text import breakable
from tests.report.pages import FIXED, HOSTILE, SOURCE, finding, overview, page, result

VOID = {"hr", "meta", "input", "wbr", "img", "br", "link"}


class Outline(HTMLParser):
    """The elements of a page; fails where one is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.elements if "id" in attributes]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def test_the_page_is_well_formed_and_each_address_is_unique() -> None:
    outline = Outline(page(result()))
    assert len(outline.ids()) == len(set(outline.ids()))
    links = {str(attributes["href"])[1:] for tag, attributes in outline.elements if tag == "a"}
    assert links <= set(outline.ids())


def test_the_page_loads_nothing() -> None:
    outline = Outline(page(result()))
    for tag, attributes in outline.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed")
        assert "src" not in attributes
        assert str(attributes.get("href", "#")).startswith("#")
    assert "@import" not in page(result()) and "url(http" not in page(result())


def test_what_was_scanned_stays_text() -> None:
    outline = Outline(page(result(text=HOSTILE)))
    assert outline.count("script") == 1
    assert outline.count("img") == 0
    assert "document.title='owned'" in outline.text
    assert "{{ 7 * 7 }}" in outline.text


@pytest.mark.parametrize("number", [6, 1_000])
def test_nothing_hides_or_reorders_its_neighbours(number: int) -> None:
    scanned = page(result(number, text=f"\u202e\u2066\u200b\x07{HOSTILE}"))
    assert not set(scanned) & set("\u202e\u2066\u200b\x00\x07\ud800")
    assert "U+202EU+2066U+200BU+0007" in scanned


def test_what_joins_letters_stays() -> None:
    assert "\U0001f469\u200d\U0001f4bb" in page(result(1, text="\U0001f469\u200d\U0001f4bb"))


def test_characters_that_do_not_show_are_spelled_out_in_source() -> None:
    book = SourceBook({"a.py": ("x = 'a\u202eb\x00c'",)}, ())
    (block,) = book.blocks([Mark("a.py", 1, 1, "")], 0)
    pieces = block.lines[0].pieces
    assert [piece.text for piece in pieces if "U+" in piece.text] == ["U+202E", "U+0000"]
    assert "".join(piece.text for piece in pieces) == "x = 'aU+202EbU+0000c'"


@pytest.mark.parametrize("number", [1_000, 6_000])
def test_a_page_stays_small(number: int) -> None:
    text = page(result(number, files=40))
    assert len(text.encode()) <= MAX_BYTES
    shown = text.count('<details class="finding')
    assert shown == number or f"{number - shown} less grave findings are left out" in text


def test_a_thousand_findings_are_all_there() -> None:
    assert page(result(1_000, files=40)).count('<details class="finding') == 1_000


def test_the_gravest_and_the_proved_come_first() -> None:
    shown = re.findall(r'class="finding (\w+)" id="[\w-]+" data-status="([\w -]+)"', page(result()))
    ranks = [("error", "warning", "info").index(severity) for severity, _ in shown]
    assert ranks == sorted(ranks)
    assert shown[0] == ("error", "confirmed")


def test_lines_without_their_guard_lead_to_their_findings() -> None:
    text = page(result(1))
    assert re.search(r'<li class="without flagged">.*bank\.py.*:11.*<a href="#f-0{16}">RL101</a></li>', text)


def test_the_same_result_makes_the_same_page() -> None:
    scanned = result()
    assert page(scanned) == page(msgspec.structs.replace(scanned, findings=scanned.findings[::-1]))


def test_a_scan_without_findings_says_what_that_rests_on() -> None:
    outline = Outline(page(ScanResult((), files=3, overview=overview())))
    assert "Nothing to report" in outline.text
    assert "quiet.py" in outline.text


def cycle(*numbers: int) -> str:
    """What is said of locks that are taken in a circle, the edges numbered so."""
    edges = tuple(LockEdge(f"l{n}", f"l{(n + 1) % len(numbers)}", "a.py", n, "f", c) for n, c in enumerate(numbers))
    text = Outline(page(ScanResult((), overview=Overview(edges=edges)))).text
    return " ".join(text[text.index("An arrow leads") : text.index("Held")].split())


def test_a_cycle_is_marked_and_one_that_is_not_reported_is_not_denied() -> None:
    assert "The red arrows form a cycle" in cycle(1, 1, 1) and "dashed" not in cycle(1, 1, 1)
    assert "The dashed arrows lead back" in cycle(0, 0, 0, 0, 0) and "no cycle" not in cycle(0, 0, 0, 0, 0)
    assert page(ScanResult((), overview=Overview(edges=(LockEdge("a", "b", "a.py", 1, "f"),)))).count("edge round") == 0


def test_red_arrows_are_drawn_over_the_others() -> None:
    edges = [
        LockEdge("a", "b", "a.py", 1, "f", 1),
        LockEdge("b", "a", "a.py", 2, "f", 1),
        LockEdge("c", "b", "a.py", 3, "f"),
    ]
    drawn = re.findall(r'<path class="edge( red)?"', page(ScanResult((), overview=Overview(edges=tuple(edges)))))
    assert drawn == ["", " red", " red"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("package/sub_package/a_module.py", "package/|sub_package/|a_module.py"),
        (r"C:\src\a_module.py", r"C:\|src\|a_module.py"),
        ("bank.Account._balance[*]", "bank|.Account|._balance[*]"),
        ("bank.py", "bank.py"),
        ("a_name_that_is_far_too_long_for_a_card", "a_|name_|that_|is_|far_|too_|long_|for_|a_|card"),
    ],
)
def test_names_break_where_they_are_read_best(name: str, shown: str) -> None:
    assert breakable(name) == shown.replace("|", "<wbr>")


def test_files_that_cannot_be_read_are_named_first_and_are_no_locations() -> None:
    broken = msgspec.structs.replace(finding(), path="broken.py", subject="broken.py")
    coverage = Coverage(analysed=("bank.py",), unreadable=("broken.py",))
    text = Outline(page(ScanResult((broken,), overview=Overview(coverage)))).text
    assert "1 file could not be read, and nothing in it was checked" in " ".join(text.split())
    assert "Locations with most" not in text


def test_a_scan_that_failed_says_so_first() -> None:
    scanned = ScanResult((), errors=(Problem("missing-path", "no such file", "gone.py"),))
    text = Outline(page(scanned)).text
    assert "This scan is not complete" in text and "gone.py: no such file" in text


def test_a_line_that_is_not_there_does_no_harm() -> None:
    wrong = msgspec.structs.replace(finding(), line=400, end_line=400)
    assert Outline(page(ScanResult((wrong,), lines={"bank.py": SOURCE}))).count("details") > 0


def roles(*names: str) -> list[Step]:
    """Steps of these roles; a star says that a lock is held."""
    return [_step(name) for name in names]


def _step(name: str) -> Step:
    role: StepRole = name.rstrip("*")  # type: ignore[assignment]
    return Step(role, role, "a.py", 1, 1, ("lock",) if name.endswith("*") else ())


@pytest.mark.parametrize(
    ("trace", "sides"),
    [
        ("root access | root conflict", 2),
        ("root call access access* | root call conflict*", 2),
        ("access | conflict root", 2),
        ("access root root", 1),
        ("lock call* lock*", 1),
        ("lock call* lock* | lock lock*", 2),
        ("lock lock* | lock lock* | lock lock*", 3),
        ("lock access*", 1),
        ("lock call", 1),
        ("root", 1),
    ],
)
def test_a_trace_falls_into_sides(trace: str, sides: int) -> None:
    wanted = [side.split() for side in trace.split("|")]
    found = split(roles(*trace.replace("|", "").split()))
    assert [[step.role for step in side] for side in found] == [[n.rstrip("*") for n in side] for side in wanted]
    assert len(found) == sides


def test_what_is_done_again_after_the_conflict_is_on_the_first_side() -> None:
    assert [len(side) for side in split(roles("access", "conflict", "access"))] == [2, 1]


def shown_lines(found: Finding, context: int) -> list[list[int]]:
    book = SourceBook({"bank.py": SOURCE}, overview().locked)
    return [[line.number for line in block.lines] for side in sides_of(found, book, context) for block in side.blocks]


def test_source_is_shown_within_its_function() -> None:
    assert shown_lines(finding(), 4) == [[9, 10, 11], [5, 6, 7]]
    assert shown_lines(finding(), 0) == [[9, 11], [5, 7]]


def test_source_is_shown_without_the_indentation_that_all_of_it_has() -> None:
    book = SourceBook({"bank.py": SOURCE}, ())
    (block,) = book.blocks([Mark("bank.py", 11, 9, "")], 0)
    assert ["".join(piece.text for piece in line.pieces) for line in block.lines] == [
        "def charge(self, fee):",
        "    self._balance -= fee",
    ]


def test_locks_are_shaded_where_they_are_held() -> None:
    book = SourceBook({"bank.py": SOURCE}, overview().locked)
    _, deposit = sides_of(finding(), book, 4)
    (block,) = deposit.blocks
    assert block.locks == (("Account._lock", "6–7"),)
    assert [line.held for line in block.lines] == [(), (0,), (0,)]


@pytest.mark.parametrize(("effect", "heading"), [("lost-update", "Possible in a serial order"), ("cost", "Expected")])
def test_what_was_seen_stands_beside_what_was_to_be_seen(effect: str, heading: str) -> None:
    verdict = Verdict("confirmed", effect=effect, outcome="n = 1", expected=("n = 2",))
    shown = page(msgspec.structs.replace(result(1), findings=(msgspec.structs.replace(finding(), verdict=verdict),)))
    assert f"<dt>{heading}</dt><dd><code>n = 2</code></dd>" in shown


def test_a_fix_is_shown_line_by_line() -> None:
    assert [(line.kind, line.number, line.text) for line in patch_of(SOURCE, (FIXED,), 1)] == [
        ("same", 10, '        """Take a fee."""'),
        ("gone", 11, "        self._balance -= fee"),
        ("new", 0, "        with self._lock:"),
        ("new", 0, "            self._balance -= fee"),
        ("same", 12, ""),
    ]


def test_a_page_says_why_there_is_no_fix() -> None:
    shown = page(result(2))
    reason = "<p><code>Account._balance</code> is changed in ledger.py, too </p>"
    assert shown.count(f"<h3>No fix</h3>\n{reason}") == 1


def test_a_fix_for_another_text_is_not_shown() -> None:
    assert patch_of(SOURCE, (Edit(40, 1, 41, 1, "x\n"),)) == []
    assert patch_of(SOURCE, ()) == []


LINES = ["alpha", "beta", "gamma", "delta", "epsilon"]


@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=30), st.data())
def test_what_a_patch_shows_is_what_the_edits_do(lines: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(lines)))
    content = data.draw(st.lists(st.sampled_from([*LINES, "new"]), max_size=4))
    text = "".join(f"{line}\n" for line in content)
    shown = patch_of([*lines, ""], (Edit(place, 1, place + 1, 1, text),), context=50)
    changed = [*lines[: place - 1], *content, *lines[place:], ""]
    assert changed == [line.text for line in shown if line.kind != "gone"] or (shown == [] and changed == [*lines, ""])
    assert all([*lines, ""][line.number - 1] == line.text for line in shown if line.kind != "new")


def test_the_accesses_are_marked_and_labelled() -> None:
    book = SourceBook({"bank.py": SOURCE}, ())
    charge, deposit = sides_of(finding(), book, 0)
    marked = [
        ("".join(piece.text for piece in line.pieces if piece.marked), line.label)
        for side in (charge, deposit)
        for line in side.blocks[0].lines
        if line.marked
    ]
    assert marked == [
        ("self._balance -= fee", "updates `Account._balance` , holding no lock"),
        ("self._balance", "updates `Account._balance` , holding `Account._lock`"),
    ]
    assert (charge.title, deposit.title.startswith("`Account.deposit`")) == ("thread `charge` is started ", True)
