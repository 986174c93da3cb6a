"""One file a way to choose the schedules of a search."""
