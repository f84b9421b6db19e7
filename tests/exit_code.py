"""An exit code of pytest's besides its own: https://docs.pytest.org/en/stable/reference/exit-codes.html."""

FAILED_BESIDES = 6
"""Something beside the tests asked for failed, such as those on SQLite: trying again what failed can't mend it."""
