"""What RL3 asks: conditions, events, barriers, stop flags and loops that wait."""
