"""What was answered once, kept as long as it holds: answers by their questions, not too many."""

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

A = TypeVar("A")


class Memory:
    """Keeps the last `most` answers, each under all that it follows from."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[Hashable, object] = {}

    def answer(self, question: Hashable, find: Callable[[], A]) -> A:
        """Return what the question was answered, or find it. What `find` raises is not kept."""
        try:
            return cast("A", self._known[question])
        except KeyError:
            found = find()
        if len(self._known) >= self._most:
            del self._known[next(iter(self._known))]
        self._known[question] = found
        return found

    def forget(self) -> None:
        """Forget all: something that the answers follow from has changed."""
        self._known.clear()
