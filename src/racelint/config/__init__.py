"""Settings: what the user wrote under `[tool.racelint]`, read and checked."""
