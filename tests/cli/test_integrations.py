"""Where racelint is used: pytest, watching, plugins, completion, GitHub and GitLab."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import race, racelint

ROOT = Path(__file__).parents[2]


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "racelint.pytest_plugin", "-q", *arguments]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "a.py").write_text(race())
    (tmp_path / "test_a.py").write_text("def test_it():\n    pass\n")
    return tmp_path


def test_pytest_fails_for_each_finding_on_request(project: Path) -> None:
    assert run_pytest(project).returncode == 0
    answer = run_pytest(project, "--racelint")
    assert answer.returncode == 1
    assert "1 failed, 1 passed" in answer.stdout
    assert "RL101 unguarded-mutation" in answer.stdout
    assert "racelint[RL101-a.py:9:9]" in answer.stdout


def test_pytest_passes_where_nothing_is_found(project: Path) -> None:
    (project / "a.py").write_text(race("  # racelint: ignore[RL101] why"))
    assert "2 passed" in run_pytest(project, "--racelint").stdout
    (project / "a.py").write_text(race())
    assert "2 passed" in run_pytest(project, "--racelint", "--racelint-path", "test_a.py").stdout


def test_pytest_says_what_could_not_be_scanned(project: Path) -> None:
    answer = run_pytest(project, "--racelint", "--racelint-path", "nowhere")
    assert (answer.returncode, "nowhere: no such file" in answer.stdout) == (1, True)
    (project / "racelint.toml").write_text("selct = 1\n")
    answer = run_pytest(project, "--racelint")
    assert (answer.returncode, "did you mean `select`?" in answer.stderr) == (4, True)


def test_watching_scans_again_after_a_change(project: Path) -> None:
    pytest.importorskip("watchfiles")
    command = [sys.executable, "-m", "racelint", "scan", "--watch", "--output-format", "concise"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("a.py:9:9: error RL101")
        assert process.stdout.readline() == "1 error in 2 files\n"
        assert process.stderr.readline() == "racelint: watching for changes; Ctrl-C ends\n"
        for _ in range(600):  # the system's notice begins some time after we say so
            (project / "new").write_text(race("  # racelint: ignore[RL101]"))
            (project / "new").replace(project / "a.py")  # in one step: half a file is another one
            time.sleep(0.1)
            if select_readable(process):
                break
        else:
            process.kill()
        assert process.stdout.readline() == "no findings in 2 files (1 suppressed)\n"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode in (0, 130)


def select_readable(process: subprocess.Popen[str]) -> bool:
    import select

    return bool(select.select([process.stdout], [], [], 0)[0])


PLUGIN = '''\
from racelint.rules.base import Rule


class NoThreads(Rule):
    """No function may be called `thread_it`.

    ## What it does
    ## Why is this bad?
    ## Example
    ## Use instead
    ## How it is confirmed
    ## Known limits
    """

    code = "ACME001"
    name = "no-threads"
    since = "1"
    severity = "warning"
    confirmable = False

    def check(self, program):
        for function in program.index.functions:
            if function.ir.name == "thread_it":
                yield self.finding(function, function.ir.name_span, message="no", why="house rule", subject="x")
'''


def plugin(folder: Path, text: str) -> dict[str, str]:
    site = folder / "site"
    info = site / "acme-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[racelint.rules]\nacme = acme_rules\n")
    (site / "acme_rules.py").write_text(text)
    return {"PYTHONPATH": str(site)}


def test_a_plugin_brings_its_rules(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    env = plugin(tmp_path_factory.mktemp("plugin"), PLUGIN)
    (project / "a.py").write_text("import threading\n\ndef thread_it(): pass\n")
    answer = racelint("scan", "--output-format", "concise", cwd=project, env=env)
    assert answer.stdout.startswith("a.py:3:5: warning ACME001 no-threads: no\n"), answer
    assert racelint("scan", "--ignore", "ACME", cwd=project, env=env).returncode == 0
    (project / "a.py").write_text("import threading\n\ndef thread_it(): pass  # racelint: ignore[ACME001] old\n")
    assert racelint("scan", cwd=project, env=env).returncode == 0
    assert racelint("rule", "ACME001", cwd=project, env=env).returncode == 0


def test_an_interrupt_is_one_line(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It comes while a rule checks, because that rule sends it."""
    impatient = PLUGIN.replace(
        "        for function in",
        "        import os, signal, threading\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        threading.Event().wait(60)\n"
        "        for function in",
    )
    # a test run in the background of a shell has interrupts ignored, and children inherit that
    listen = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.argv[0] = 'racelint'; "
    command = [sys.executable, "-c", listen + "from racelint.cli.main import main; main()", "scan"]
    env = {**os.environ, **plugin(tmp_path_factory.mktemp("plugin"), impatient)}
    answer = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=120)
    complaint = "\nracelint: interrupted: there is no report, and no file is half written\n"
    assert (answer.returncode, answer.stdout, answer.stderr) == (130, "", complaint)


@pytest.mark.parametrize("text", ["import nothing_there\n", "x = 1\n", PLUGIN.replace("ACME001", "RL101")])
def test_a_plugin_that_is_none_is_said(text: str, project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    answer = racelint("scan", cwd=project, env=plugin(tmp_path_factory.mktemp("plugin"), text))
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "plugin acme: " in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("shell", "sign"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete --no-files")]
)
def test_the_shell_completes(shell: str, sign: str, tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "racelint"

    def complete(kind: str, words: str) -> str:
        environ = {
            **os.environ,
            "_RACELINT_COMPLETE": f"{shell}_{kind}",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        return subprocess.run([script], env=environ, capture_output=True, text=True, timeout=60, cwd=tmp_path).stdout

    assert sign in complete("source", "")
    if shell == "bash":
        assert "baseline" in complete("complete", "racelint base")
        assert "plain,--min-severity" in complete("complete", "racelint scan --min-sev")


def test_the_github_action_is_one_and_its_commands_run(project: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    import yaml

    action = yaml.safe_load((ROOT / "action.yml").read_text())
    script = action["runs"]["steps"][-1]["run"]
    inputs = {
        f"INPUT_{name.upper().replace('-', '_')}": str(each.get("default", ""))
        for name, each in action["inputs"].items()
    }
    environ = {**os.environ, **inputs, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-euc", script], cwd=project, env=environ, capture_output=True, text=True)
    assert (done.returncode, "::error file=a.py,line=9" in done.stdout) == (1, True), done
    environ["INPUT_SARIF_FILE"] = "out.sarif"
    subprocess.run(["bash", "-euc", script], cwd=project, env=environ, capture_output=True)
    assert json.loads((project / "out.sarif").read_text())["runs"][0]["results"]


def test_the_gitlab_job_is_one_and_its_script_runs(project: Path) -> None:
    import yaml

    template = ROOT / "templates/racelint.gitlab-ci.yml"
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(template)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    job = yaml.safe_load(template.read_text())["racelint"]
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    (command,) = [line for line in job["script"] if not line.startswith("pip ")]
    done = subprocess.run(["bash", "-euc", command], cwd=project, env=environ, capture_output=True, text=True)
    assert done.returncode == 1
    report = project / job["artifacts"]["reports"]["codequality"]
    assert [issue["check_name"] for issue in json.loads(report.read_text())] == ["RL101"]
