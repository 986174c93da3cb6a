"""Make the gallery: reports on the bundled examples, and on bugs that released packages really had.

Third-party releases are downloaded and installed into `.bench_cache`, and never enter the repository: a page quotes of
them only the lines around what is found.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PAGES = DOCS / "_pages" / "gallery"

sys.path.insert(0, str(ROOT / "benchmarks"))

from environments import environment  # noqa: E402
from packages import locate, tree  # noqa: E402


class Exhibit(NamedTuple):
    """A bug of RaceBench by its id, and the rule that finds it; `contract` is a class known to be thread-safe."""

    bug: str
    code: str
    contract: str = ""


EXHIBITS = (
    Exhibit("ratelimit-lock-covers-read-only", "RL102"),
    Exhibit("asgiref-inmemory-receive", "RL104", "asgiref.inmemory.ChannelLayer"),
    Exhibit("datadog-counter-add", "RL101", "datadog.threadstats.metrics.Counter"),
)


def main() -> None:
    PAGES.mkdir(parents=True, exist_ok=True)
    report(PAGES / "examples.html", ROOT, "examples", "--isolated")
    bugs = {bug["id"]: bug for bug in json.loads((ROOT / "benchmarks/racebench/manifest.json").read_text())}
    entries = [entry("The bundled examples", "examples", "Small programs as one meets them in a course on threads.")]
    entries += [shown(exhibit, bugs[exhibit.bug]) for exhibit in EXHIBITS]
    generated = DOCS / "_generated"
    generated.mkdir(exist_ok=True)
    (generated / "gallery.md").write_text("<!-- made by docs/gallery.py -->\n" + "".join(entries), encoding="utf-8")


def shown(exhibit: Exhibit, bug: dict[str, str]) -> str:
    """Make the report on one bug, in the file that has it, and say what it is about."""
    package, version, path = bug["package"], bug["buggy"], bug["file"]
    file = locate(tree(package, version), path)
    if file is None:
        raise SystemExit(f"{package} {version} has no {path}")
    base = Path(str(file).removesuffix(path))
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "racelint.toml")
        promised = [exhibit.contract] if exhibit.contract else []
        config.write_text(f"[contracts]\nthread-safe = {json.dumps(promised)}\n")
        how = ["--config", str(config), "--select", exhibit.code, "--python", str(environment(package, version))]
        report(PAGES / f"{exhibit.bug}.html", base, path, *how)
    declared = f" `{exhibit.contract}` was declared `thread-safe`." if exhibit.contract else ""
    text = f"{bug['note']}{declared} [Fixed in {bug['fixed']}]({bug['fix_ref']})."
    return entry(f"{package} {version}", exhibit.bug, text)


def report(page: Path, base: Path, target: str, *options: str) -> None:
    """The report on one target below `base`. SystemExit where it proves nothing: then it is no exhibit."""
    words = [sys.executable, "-m", "racelint", "report", target, "--confirm", "-o", str(page), *options]
    subprocess.run(words, cwd=base, check=True)
    if "badge confirmed" not in page.read_text(encoding="utf-8"):
        raise SystemExit(f"{page.name} shows no confirmed finding")


def entry(title: str, name: str, text: str) -> str:
    return f'\n## {title}\n\n{text}\n\n<a class="reference external" href="gallery/{name}.html">Open the report</a>\n'


if __name__ == "__main__":
    main()
