"""Run a command and write its CPU seconds and peak memory (bytes), children included: measure.py REPORT COMMAND…"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

done = subprocess.run(sys.argv[2:], check=False)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
Path(sys.argv[1]).write_text(f"{usage.ru_utime + usage.ru_stime} {usage.ru_maxrss * 1024}")
sys.exit(done.returncode)
