"""The command line. `main` imports click alone; each subcommand's module is imported when it is asked for."""
