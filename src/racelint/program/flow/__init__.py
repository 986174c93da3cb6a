"""One function from within: what is stored where, its control-flow tree, and on which ways through it an event runs."""
