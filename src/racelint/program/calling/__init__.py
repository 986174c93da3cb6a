"""Which functions a call may run, with what, and whether it can raise."""
