"""The laws a task can follow, by name: one line each in `blend.MEMBERS`, and their blend."""

from collections.abc import Callable

from pipeline.mixture.laws.base import Law
from pipeline.mixture.laws.blend import MEMBERS, Blend

LAWS: dict[str, Callable[[], Law]] = {**MEMBERS, "blend": Blend}
