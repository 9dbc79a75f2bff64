"""How far properties look: in proportion to the profile of Hypothesis, or much further.

HOSO_LONG=1 is for the tests that say how far that is.
"""

import os
from typing import Final

from hypothesis import settings

LONG: Final = os.environ.get("HOSO_LONG") == "1"
WHOLE: Final = 100
"""What a property tries in the whole suite if it asks for nothing else."""


def examples(whole: int, long: int | None = None) -> int:
    """Return how many examples to try where the whole suite tries so many."""
    if LONG and long is not None:
        return long
    return max(whole * settings().max_examples // WHOLE, 1)
