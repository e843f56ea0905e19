"""The way of a change, readable aloud.

    pull request → change set → plan → decision → permit → apply → audit

`check` goes as far as the decision and tells people; `apply` goes all the way for what was
merged; `reconcile` finishes what a crash left open.
"""
