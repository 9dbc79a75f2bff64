"""Why a file is refused as a whole."""


class FileRefused(Exception):
    """A file cannot be taken, or not to its end. `code` is stable, like that of a refusal."""

    code = "unreadable-file"
