"""The garbage collector of processes that make many short-lived objects for a long time."""

import gc


def collect_seldom() -> None:
    """Let the collector pass over what was made at the start, and look at the rest less often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
