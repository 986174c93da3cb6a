"""racelint finds race conditions and lock misuse in Python, and proves them with a schedule that replays."""

__version__ = "0.1.0"
