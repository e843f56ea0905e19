"""One component per outside system: which resources of it the hub needs."""
