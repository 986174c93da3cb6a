"""The replay string: a scenario and its switches in one line that any racelint can run again.

`rl1:` and then base64url of zlib of a JSON list. Paths inside are relative to the folder it was written for, so the
string holds wherever the project lies. Which files get yield points is worked out again from the source.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from racelint.model.scenario import Operation, Scenario, Schedule, Site, Switch

PREFIX = "rl1:"
LARGEST = 1_000_000
"""Bytes of JSON that a string may unpack to: a longer one is not ours."""


class BadReplay(ValueError):
    """The text is not a replay string, or not one that this version reads."""


class Replay(msgspec.Struct, frozen=True):
    """What a replay string holds. `digest` is of the target's source, to tell when the code has changed under it."""

    target: str
    scenario: Scenario
    schedule: Schedule
    digest: str = ""


def write_replay(replay: Replay, root: Path) -> str:
    """The string for a replay; paths below `root` become relative to it."""
    scenario, schedule = replay.scenario, replay.schedule
    paths = [scenario.path, *scenario.sys_path, *(site.path for site in scenario.flagged)]
    table = list(dict.fromkeys(_shortened(path, root) for path in paths))
    index = {path: table.index(_shortened(path, root)) for path in paths}
    sites = list(dict.fromkeys(switch.site for switch in schedule.switches))
    fields: list[Any] = [
        replay.target,
        replay.digest,
        table,
        [scenario.kind, scenario.module, index[scenario.path], [index[path] for path in scenario.sys_path]],
        [scenario.setup, [[op.label, op.source] for op in scenario.operations], scenario.after, scenario.before],
        [list(scenario.observe), scenario.invariant, scenario.code, scenario.test, scenario.call, scenario.stalls],
        [[index[site.path], site.line, site.column] for site in scenario.flagged],
        [schedule.first, sites, [[s.thread, sites.index(s.site), s.visit, s.to] for s in schedule.switches]],
    ]
    raw = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return PREFIX + base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")


def read_replay(text: str, root: Path) -> Replay:
    """Undo `write_replay` for a project at `root`. Raises BadReplay with a sentence."""
    text = "".join(text.split())
    if not text.startswith(PREFIX):
        raise BadReplay(f"a replay string starts with `{PREFIX}`")
    try:
        return _replay(json.loads(_unpacked(text.removeprefix(PREFIX))), root)
    except (ValueError, TypeError, KeyError, IndexError, zlib.error, binascii.Error, msgspec.MsgspecError):
        raise BadReplay("the replay string is damaged: part of it is missing or was changed") from None


def digest_of(path: Path) -> str:
    """A short digest of a source file, empty where it cannot be read."""
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=4).hexdigest()
    except OSError:
        return ""


def _unpacked(text: str) -> str:
    packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    unpacker = zlib.decompressobj()
    raw = unpacker.decompress(packed, LARGEST)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("truncated")
    return raw.decode("utf-8", "surrogatepass")


def _replay(fields: Any, root: Path) -> Replay:
    target, digest, table, module, code, oracle, flagged, switches = fields
    paths = [_absolute(path, root) for path in table]
    kind, name, path, sys_path = module
    setup, operations, after, before = code
    observe, invariant, rule, test, call, *stalls = oracle
    first, sites, steps = switches
    scenario = Scenario(
        kind=kind,
        module=name,
        path=paths[path],
        sys_path=tuple(paths[index] for index in sys_path),
        setup=setup,
        operations=tuple(Operation(label, source) for label, source in operations),
        before=before,
        after=after,
        observe=tuple(observe),
        invariant=invariant,
        flagged=tuple(Site(paths[index], line, column) for index, line, column in flagged),
        code=rule,
        test=test,
        call=call,
        stalls=stalls[0] if stalls else "",
    )
    schedule = Schedule(first, tuple(Switch(thread, sites[site], visit, to) for thread, site, visit, to in steps))
    return msgspec.convert(msgspec.to_builtins(Replay(target, scenario, schedule, digest)), Replay)


def _shortened(path: str, root: Path) -> str:
    relative = os.path.relpath(path, root)
    return path if relative.startswith("..") else PurePosixPath(Path(relative).as_posix()).as_posix()


def _absolute(path: str, root: Path) -> str:
    return os.path.normpath(root.resolve() / path)
