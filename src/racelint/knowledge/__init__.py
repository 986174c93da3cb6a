"""Tables of what the standard library and well-known frameworks mean for concurrency. Data, no logic."""
