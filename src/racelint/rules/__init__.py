"""The rule book: one file a rule. Rules see the Program, never a syntax tree."""
