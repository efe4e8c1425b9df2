"""Property tests try the same examples everywhere; `pytest --hypothesis-profile=search` tries new ones."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("repeatable")
