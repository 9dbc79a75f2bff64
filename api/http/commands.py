"""Every command's operation, made from its type; and the outcomes stored under their keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal, Self, cast
from uuid import UUID

import msgspec

from api.http.declared import Body, Caller, Resource, ref
from api.http.paths import COMMANDS_PATH, DossierName, IdempotencyKey, ReadVersion, SentKey
from api.http.problems import Problem
from api.http.queries import Query
from api.http.replies import Carried, Reply
from api.showing import examples
from api.showing.answers import Answer, Count, Moment
from domain import errors as why
from domain.dossier.chapter import AnyAct, DossierCommand
from domain.dossier.chapters import ACT_FOR, COMMANDS
from domain.dossier.intake import AcceptDossier
from domain.dossier.status import SHOWN, Status
from domain.envelope import UnitCode
from domain.ledger import appends
from domain.ledger.access import Action
from domain.ledger.commands import Order
from domain.ledger.sameness import Identity
from streams.wire.cloudevents import PREFIX
from streams.wire.examples import command_example
from streams.wire.inputs import command_from

commands: Final = Resource(
    "Commands",
    "What officers do to a dossier: guarded by its state and version, safe to repeat under a key,"
    " and tried without writing by `dry_run`.",
)


class CommandAsked(Query):
    dry_run: Annotated[bool, msgspec.Meta(description="Answer the same, but write nothing.")] = (
        False
    )


class Done(Answer):
    """The dossier after a command; `version` is what the next If-Match names."""

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.DONE

    id: UUID
    code: str | None
    version: Count
    seq: Count | None
    position: Count
    due: Moment | None

    @classmethod
    def of(cls, outcome: appends.Outcome) -> Self:
        """Show an outcome that is no refusal: it is about a dossier in a version."""
        return cls(
            id=cast("UUID", outcome.stream),
            code=outcome.code,
            version=cast("int", outcome.version),
            seq=outcome.seq,
            position=outcome.position,
            due=outcome.due,
        )


class StoredOutcome(Answer):
    """What became of the command under a key."""

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.STORED_OUTCOME

    outcome: Literal["recorded", "no-news", "refused"]
    id: UUID | None
    code: str | None
    version: Count | None
    seq: Count | None
    position: Count
    due: Moment | None
    problem: Problem | None

    @classmethod
    def of(cls, outcome: appends.Outcome) -> Self:
        return cls(
            outcome=outcome.kind,
            id=outcome.stream,
            code=outcome.code,
            version=outcome.version,
            seq=outcome.seq,
            position=outcome.position,
            due=outcome.due,
            problem=Problem.of(outcome.problem) if outcome.problem is not None else None,
        )


def _body(name: str) -> Body:
    return Body(schema=ref(COMMANDS[name].__name__), example=command_example(name))


@commands.writes(
    "/v1/dossiers", Action.SEND_COMMANDS, problems=(why.KeyRequired, why.CalendarLacksYear)
)
async def accept_dossier(
    key: IdempotencyKey,
    body: Annotated[bytes, _body(AcceptDossier.NAME)],
    asked: CommandAsked,
    caller: Caller,
) -> Carried[Done] | appends.Problem:
    """Accept a new dossier (form 01).

    The ledger issues its code unless one is given, and computes when it is due.
    """
    sent = Sent(AcceptDossier.NAME, body, key, dry_run=asked.dry_run)
    return await _carry_out(caller, sent, None, 0)


def _text(act: AnyAct) -> str:
    """Return what a command does, what it records, and where it is possible."""
    allowed = act.fits if act.asked_from is None else act.asked_from
    stands = ["none yet"] if None in allowed else []
    stands += [f"{each} ({SHOWN[each].label})" for each in Status if each in allowed]
    return (
        f"{act.command.__doc__}\n\nIt records `{PREFIX}{act.event.TOPIC}`. The state of the dossier"
        f" may forbid it, as `next` says; its status must be one of: {', '.join(stands)}."
    )


def _declare(command: type[DossierCommand]) -> None:
    name = command.NAME

    @commands.writes(
        f"/v1/dossiers/{{dossier:str}}/{name}",
        Action.SEND_COMMANDS,
        name=name,
        text=_text(ACT_FOR[command]),
        problems=(
            why.KeyRequired,
            why.CalendarLacksYear,
            why.VersionRequired,
            why.IllegalTransition,
            why.NotFound,
        ),
    )
    async def send(
        dossier: DossierName,
        version: ReadVersion,
        key: IdempotencyKey,
        body: Annotated[bytes, _body(name)],
        asked: CommandAsked,
        caller: Caller,
    ) -> Carried[Done] | appends.Problem:
        sent = Sent(name, body, key, dry_run=asked.dry_run)
        return await _carry_out(caller, sent, dossier, version)


for each in COMMANDS.values():
    _declare(each)


@dataclass(frozen=True, slots=True)
class Sent:
    """A command as it was sent."""

    name: str
    body: bytes
    key: str | None
    dry_run: bool


async def _carry_out(
    caller: Caller, sent: Sent, dossier: UUID | str | None, version: int
) -> Carried[Done] | appends.Problem:
    services, sender = caller.services, caller.sender
    if sent.key is None and not sent.dry_run:
        raise why.KeyRequired
    command, about = command_from(sent.name, sent.body)
    acting = about["acting_unit"]

    order = Order(
        command=command,
        dossier=services.new_id() if dossier is None else dossier,
        is_new=dossier is None,
        expected=version,
        sender=sender,
        key=Identity(scope=sender.keys, key=sent.key, digest=services.digest) if sent.key else None,
        actor=about["actor"],
        acting_unit=UnitCode(acting) if acting else None,
        legal_basis=about["legal_basis"],
    )
    outcome = (await services.ledger.execute(order, dry_run=sent.dry_run)).outcome
    return outcome.problem or Carried(Done.of(outcome), outcome.version)


@commands.reads(
    f"{COMMANDS_PATH}{{key:path}}", Action.SEND_COMMANDS, problems=(why.Forbidden, why.NotFound)
)
async def get_command(key: SentKey, caller: Caller) -> Reply[StoredOutcome]:
    """Return what became of a command: its stored outcome, for its own sender only.

    So a sender who lost the answer learns it, however long ago it was.
    """
    outcome = await caller.services.outcome_of(caller.sender.keys, key)
    if outcome is None:
        raise why.NotFound("outcome under this key")
    return Reply(StoredOutcome.of(outcome))
