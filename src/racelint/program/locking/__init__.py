"""Which lock a path denotes, and which locks are held where."""
