"""Who runs what, holding what: thread roots, the program's users, and the contexts that they run functions in."""
