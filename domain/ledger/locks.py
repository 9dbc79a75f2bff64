"""The numbers of PostgreSQL's advisory locks: one for each thing that only one may do at a time."""

from enum import IntEnum


class Lock(IntEnum):
    """On one database, so on one ledger; `MIGRATE` keeps the number that released versions take."""

    CHANGE_A_READ_MODEL = 7_166_832
    """Whoever makes, switches or drops the table of a read model."""

    KEEP_THE_TIME = 7_166_833
    """Whoever turns what time brings about into commands."""

    LEAD_THE_VIEWS = 7_166_834
    """Whoever brings the views forward, all of them."""

    LEAD_THE_VIEWS_FIRST = 7_166_835
    """Shared by processes that do nothing else: while one runs, nobody beside them leads."""

    BUILD_THE_VIEWS = 7_166_836
    """Whoever builds views from the first event on."""

    MIGRATE = 0x686F736F
