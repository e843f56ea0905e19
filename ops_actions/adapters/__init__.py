"""The outside world behind the protocols that the steps own: git, GitHub, OPA, Pulumi, Postgres."""
