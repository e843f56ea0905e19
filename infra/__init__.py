"""What must exist: declared state, the Pulumi program that makes it real, and its API clients."""
