"""May-run-in-parallel: records of what is done to a variable, and which two of them can overlap on one object."""
