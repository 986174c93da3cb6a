"""What RL5 asks: how threads, timers and pools are made, started and joined."""
