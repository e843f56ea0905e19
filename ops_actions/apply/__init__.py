"""How it is done: only with a permit, step by step, with what happened known after any crash."""
