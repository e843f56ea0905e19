"""What is asked for: the git diff of a pull request, sorted into kinds and parsed into requests."""
