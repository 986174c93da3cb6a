"""Findings per 1,000 lines on well-kept packages, and a random sample of them to read by hand."""

from __future__ import annotations

import argparse
import random
import sys
import textwrap
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packages import line_count, thousands, top_level, tree
from tools import Answer, Hit, Racelint

RELEASES = {
    "requests": "2.32.5",
    "flask": "3.1.2",
    "werkzeug": "3.1.3",
    "jinja2": "3.1.6",
    "click": "8.3.0",
    "attrs": "25.3.0",
    "httpx": "0.28.1",
    "anyio": "4.11.0",
    "tornado": "6.5.2",
    "django": "5.2.7",
    "celery": "5.5.3",
    "kombu": "5.5.4",
    "gunicorn": "23.0.0",
    "apscheduler": "3.11.0",
    "cachetools": "6.2.0",
    "watchdog": "6.0.0",
    "prometheus_client": "0.23.1",
    "loguru": "0.7.3",
    "pika": "1.3.2",
    "paho-mqtt": "2.1.0",
}
UNREAD = {
    "urllib3": "2.5.0",
    "pymongo": "4.15.3",
    "kafka-python": "2.2.15",
    "elastic-transport": "9.1.0",
    "scrapy": "2.13.3",
    "twisted": "25.5.0",
    "distributed": "2025.9.1",
    "streamlit": "1.50.0",
    "cheroot": "10.0.1",
    "waitress": "3.0.2",
    "uvicorn": "0.37.0",
    "peewee": "3.18.2",
    "sqlalchemy": "2.0.43",
    "dnspython": "2.8.0",
    "zeroconf": "0.148.0",
    "pyserial": "3.5",
    "invoke": "2.2.0",
    "rq": "2.6.0",
    "huey": "2.5.3",
    "dramatiq": "1.18.0",
    "luigi": "3.6.0",
    "locust": "2.41.6",
    "fasteners": "0.20",
    "billiard": "4.2.2",
    "jupyter_client": "8.6.3",
    "execnet": "2.1.1",
    "coverage": "7.10.7",
    "slack_sdk": "3.36.0",
    "diskcache": "5.6.3",
    "ipython": "9.5.0",
    "hypothesis": "6.140.2",
    "pip": "25.2",
}
"""Chosen, and read once, after the rules had been tuned on `RELEASES`."""

SECOND_READING = {
    "cherrypy": "18.10.0",
    "persist-queue": "1.1.0",
    "neo4j": "6.4.1",
    "hazelcast-python-client": "5.7.0",
    "rpyc": "6.0.2",
    "python-can": "4.6.1",
    "pynput": "1.8.2",
    "dulwich": "1.2.21",
    "dogpile.cache": "1.5.0",
    "dbutils": "3.2.0",
    "pymemcache": "4.0.0",
    "ldap3": "2.9.1",
    "sshtunnel": "0.5.1",
    "launchdarkly-server-sdk": "9.20.0",
    "posthog": "7.91.1",
    "google-api-core": "2.44.0",
    "pyrate-limiter": "4.5.1",
    "loky": "3.7.0",
    "limits": "5.8.0",
    "concurrent-log-handler": "0.9.31",
    "futurist": "3.5.0",
    "py4j": "0.10.9.9",
}
"""Chosen, and read once, after the rules had been tuned on `UNREAD` too."""

THIRD_READING = {
    "asyncua": "2.1.0",
    "aws-xray-sdk": "2.15.0",
    "azure-servicebus": "7.15.0",
    "bokeh": "3.9.2",
    "dask": "2026.8.0",
    "discord.py": "2.7.1",
    "docker": "7.2.0",
    "fakeredis": "2.41.0",
    "google-auth": "2.63.0",
    "google-cloud-logging": "3.17.0",
    "netmiko": "4.8.0",
    "oslo.messaging": "18.3.1",
    "prompt-toolkit": "3.0.53",
    "psycopg": "3.3.9",
    "pyftpdlib": "2.2.0",
    "pymodbus": "3.16.1",
    "pyroute2": "0.9.7",
    "python-engineio": "4.15.1",
    "python-socketio": "5.18.1",
    "pyvisa": "1.16.2",
    "robotframework": "7.5",
    "scapy": "2.8.0",
    "tensorboard": "2.21.0",
    "textual": "8.2.8",
}
"""Chosen, and read once, after the rules had been tuned on `SECOND_READING` too."""

FOURTH_READING = {
    "aiohttp": "3.14.5",
    "sanic": "25.12.1",
    "nats-py": "2.16.0",
    "aiokafka": "0.14.0",
    "trio": "0.35.0",
    "mitmproxy": "11.0.2",
    "pexpect": "4.9.0",
    "bleak": "3.1.0",
    "roslibpy": "2.1.0",
    "asyncssh": "2.24.1",
    "pymysql": "1.2.4",
    "mysql-connector-python": "26.10.0",
    "rollbar": "1.5.0",
    "opensearch-py": "3.2.0",
    "flask-caching": "2.5.1",
    "amqp": "5.4.2",
    "cachecontrol": "0.14.4",
    "fabric": "3.2.3",
    "jaeger-client": "4.8.0",
    "mopidy": "3.4.2",
    "pygls": "2.1.1",
    "supervisor": "4.3.0",
    "circus": "0.19.0",
    "gcsfs": "2026.10.1",
}
"""Chosen, and read once, after the rules had been tuned on `THIRD_READING` too."""

FIFTH_READING = {
    "ophyd": "1.11.2",
    "hypercorn": "0.18.0",
    "proxy.py": "2.4.10",
    "gpiozero": "2.0.1.post3",
    "b2sdk": "2.13.2",
    "beets": "2.14.1",
    "python-lsp-server": "1.15.0",
    "pyglet": "2.1.19",
    "telethon": "1.45.0",
    "slixmpp": "1.17.0",
}
"""Chosen before the causes found in the others were mended, and scanned after that."""

MARKERS = {
    "attrs": "attr/__init__.py",
    "paho-mqtt": "paho/mqtt/__init__.py",
    "kafka-python": "kafka/__init__.py",
    "elastic-transport": "elastic_transport/__init__.py",
    "peewee": "peewee.py",
    "dnspython": "dns/__init__.py",
    "pyserial": "serial/__init__.py",
    "ipython": "IPython/__init__.py",
    "persist-queue": "persistqueue/__init__.py",
    "hazelcast-python-client": "hazelcast/__init__.py",
    "python-can": "can/__init__.py",
    "dogpile.cache": "dogpile/__init__.py",
    "sshtunnel": "sshtunnel.py",
    "launchdarkly-server-sdk": "ldclient/__init__.py",
    "google-api-core": "google/api_core/__init__.py",
    "pyrate-limiter": "pyrate_limiter/__init__.py",
    "concurrent-log-handler": "concurrent_log_handler/__init__.py",
    "aws-xray-sdk": "aws_xray_sdk/__init__.py",
    "azure-servicebus": "azure/servicebus/__init__.py",
    "discord.py": "discord/__init__.py",
    "google-auth": "google/auth/__init__.py",
    "google-cloud-logging": "google/cloud/logging_v2/__init__.py",
    "oslo.messaging": "oslo_messaging/__init__.py",
    "prompt-toolkit": "prompt_toolkit/__init__.py",
    "python-engineio": "engineio/__init__.py",
    "python-socketio": "socketio/__init__.py",
    "robotframework": "robot/__init__.py",
    "nats-py": "nats/__init__.py",
    "mysql-connector-python": "mysql/connector/__init__.py",
    "opensearch-py": "opensearchpy/__init__.py",
    "flask-caching": "flask_caching/__init__.py",
    "jaeger-client": "jaeger_client/__init__.py",
    "proxy.py": "proxy/__init__.py",
    "python-lsp-server": "pylsp/__init__.py",
}
"""A file of the package, where its folder has another name than the project."""

CONTEXT = 4
"""Source lines shown on either side of a sampled finding."""


def part_of(package: str, version: str) -> Path:
    """The package folder of one release; downloads it if need be."""
    unpacked = tree(package, version, folder="releases")
    return top_level(unpacked, MARKERS.get(package, f"{package}/__init__.py"))


def shown(hit: Hit, part: Path) -> str:
    """A finding with its source around it."""
    lines = (part.parent / hit.path).read_text(encoding="utf-8", errors="replace").splitlines()
    first = max(hit.line - CONTEXT, 1)
    source = "\n".join(
        f"    {'>' if number == hit.line else ' '} {number:5} {lines[number - 1]}"
        for number in range(first, min(hit.line + CONTEXT, len(lines)) + 1)
    )
    message = textwrap.fill(hit.message, 110, initial_indent="    ", subsequent_indent="    ")
    title = f"{part.parent.name}/{hit.path}:{hit.line} {hit.code} {hit.severity} ({hit.evidence or 'no evidence'})"
    return f"{title} {hit.symbol}\n{message}\n{source}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="show N findings with their source")
    parser.add_argument("--seed", type=int, default=0, help="which N")
    parser.add_argument("--rule", action="append", metavar="CODE", help="sample these codes or prefixes alone")
    parser.add_argument("--unread", action="store_true", help="scan releases that the rules were not tuned on")
    parser.add_argument("--second-reading", action="store_true", help="scan those that were chosen after that")
    parser.add_argument("--third-reading", action="store_true", help="scan those that were chosen third")
    parser.add_argument("--fourth-reading", action="store_true", help="scan those that were chosen fourth")
    parser.add_argument("--fifth-reading", action="store_true", help="scan those that were chosen last")
    options = parser.parse_args()
    asked = {
        "unread": UNREAD,
        "second_reading": SECOND_READING,
        "third_reading": THIRD_READING,
        "fourth_reading": FOURTH_READING,
        "fifth_reading": FIFTH_READING,
    }
    releases = next((chosen for name, chosen in asked.items() if getattr(options, name)), RELEASES)
    tool = Racelint()
    parts = {f"{package} {version}": part_of(package, version) for package, version in releases.items()}
    with ThreadPoolExecutor(2) as pool:
        answers = dict(zip(parts, pool.map(tool.scan, parts.values()), strict=True))
    grave = [
        (hit, parts[name]) for name, answer in answers.items() for hit in answer.hits if hit.severity in tool.grave
    ]
    total = print_packages(parts, answers, tool)
    counts = Counter((hit.code, hit.severity) for hit, _ in grave)
    for (code, severity), n in sorted(counts.items()):
        print(f"  {code} {severity:8} {n:5}  {n / thousands(total):7.3f} per 1,000 lines")
    if options.rule:
        grave = [(hit, part) for hit, part in grave if hit.code.startswith(tuple(options.rule))]
    grave.sort(key=lambda pair: (pair[1].parent.name, pair[0].path, pair[0].line, pair[0].code, pair[0].subject))
    sample = random.Random(options.seed).sample(grave, min(options.sample, len(grave)))
    for number, (hit, part) in enumerate(sample, 1):
        print(f"\n[{number}] {shown(hit, part)}")
    sys.exit(1 if any(answer.failure for answer in answers.values()) else 0)


def print_packages(parts: dict[str, Path], answers: dict[str, Answer], tool: Racelint) -> int:
    """A line for each package and one for all; the number of lines scanned."""
    print(f"{'':28} {'lines':>9} {'findings':>9} {'per 1,000':>10} {'CPU s':>8}")
    total = found = 0
    seconds = 0.0
    for name, part in parts.items():
        lines = line_count(part)
        hits = sum(hit.severity in tool.grave for hit in answers[name].hits)
        print(f"{name:28} {lines:9,} {hits:9} {hits / thousands(lines):10.2f} {answers[name].seconds:8.1f}")
        if answers[name].failure:
            print(f"    FAILED: {answers[name].failure}")
        total, found, seconds = total + lines, found + hits, seconds + answers[name].seconds
    print(f"{'all':28} {total:9,} {found:9} {found / thousands(total):10.2f} {seconds:8.1f}")
    return total


if __name__ == "__main__":
    main()
