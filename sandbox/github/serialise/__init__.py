"""The JSON shapes of GitHub's REST answers, with every key that github3.py reads."""
