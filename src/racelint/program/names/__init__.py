"""Names across files: modules, classes, functions, what is declared of them, and how paths are spelled."""
