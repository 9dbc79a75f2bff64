"""Words for people, in the two languages that the ledger speaks."""

from typing import Final, Literal, NamedTuple

Language = Literal["vi", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")


class Words(NamedTuple):
    """One thing, said in Vietnamese and in English."""

    vi: str
    en: str

    def by(self, language: Language) -> str:
        """Return the words of a language."""
        return self.vi if language == "vi" else self.en
