"""The pull request: who asked, who reviewed, what the reviewer sees, and how one is raised."""
