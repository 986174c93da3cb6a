"""`python -m racelint`."""

import os
import sys

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

if __name__ == "__main__":
    # `-m` puts the working directory first on the path: a scanned `queue.py` there must not be imported for ours.
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()) and os.getcwd() != _HERE:
        del sys.path[0]
    from racelint.cli.start import main

    main()
