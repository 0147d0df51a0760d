"""What holds for all tests."""

from hypothesis import settings

# A deadline asserts on the clock, and compiling or a busy machine would break it. The same
# examples every time: a test that turns red has been broken by a change.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")
