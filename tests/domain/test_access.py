"""Who may do what, and for whom a dossier exists."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.dossier.events import DossierEvent
from domain.dossier.evolve import replay
from domain.dossier.state import Dossier
from domain.envelope import UnitCode
from domain.errors import Forbidden, Unauthorized
from domain.ledger.access import Action, Sender, authenticate, scope_of
from domain.rules.register import stream_of
from domain.rules.rule_book import RuleBook
from domain.rules.tokens import Role
from tests.examples import (
    AGENCY,
    DESK,
    DOSSIER,
    ENDED,
    LATER_DUE,
    MORNING,
    PROVINCE,
    TOKEN,
    accepted,
    competence_transferred,
    corrected,
    history,
    payment_recorded,
    rule_book,
    submitted,
    token_granted,
    token_revoked,
    told_for,
    transfer_accepted,
    transfer_offered,
    transfer_refused,
    transfer_timed_out,
    unit_ended,
    unit_registered,
    unit_succeeded,
)

DIGEST = "digest of a token"
OTHER_DESK = UnitCode("H01.30")
ROLES = """
               read find-person send-facts send-commands keep-registers
desk           yes  yes         yes        yes           -
agency         yes  yes         yes        yes           -
source         yes  -           yes        -             -
reporter       yes  -           -          -             -
inspector      yes  yes         -          -             -
administrator  yes  -           -          -             yes
"""
_, _HEAD, *_ROWS = ROLES.splitlines()
CASES = [
    (Role(role), Action(action), answer == "yes")
    for role, *answers in map(str.split, _ROWS)
    for action, answer in zip(_HEAD.split(), answers, strict=True)
]


def rules_with(unit: UnitCode = DESK, role: Role = Role.DESK) -> RuleBook:
    return rule_book(unit_registered(OTHER_DESK), token_granted(unit=unit, role=role))


def sender(unit: UnitCode = DESK, role: Role = Role.DESK) -> Sender:
    return authenticate(rules_with(unit, role), DIGEST, MORNING)


def seeing(*events: DossierEvent) -> set[str]:
    dossier = replay(DOSSIER, history(*events), rule_book())
    units = (PROVINCE, DESK, AGENCY, OTHER_DESK, ENDED)
    return {unit for unit in units if sender(unit).sees(dossier)}


@pytest.mark.parametrize(("role", "action", "may"), CASES)
def test_each_role_may_do_its_own_work(role: Role, action: Action, *, may: bool) -> None:
    asks = sender(role=role)
    if may:
        asks.must(action)
    else:
        with pytest.raises(Forbidden, match=role):
            asks.must(action)


def test_the_table_names_every_role_and_every_action() -> None:
    assert {(role, action) for role, action, _ in CASES} == {
        (role, action) for role in Role for action in Action
    }


def test_who_works_on_dossiers_or_inspects_them_opens_personal_values() -> None:
    opening = {role for role in Role if sender(role=role).opens_personal_values}
    assert opening == {Role.DESK, Role.AGENCY, Role.INSPECTOR}


def test_a_token_stands_for_its_unit_and_everything_below() -> None:
    asks = sender(PROVINCE)
    assert asks.principal == f"token:{TOKEN}"
    assert asks.scope == {PROVINCE, DESK, AGENCY, ENDED, OTHER_DESK}


def test_the_machines_own_command_line_acts_for_every_unit() -> None:
    rules = rules_with()
    assert scope_of(rules, None) == rules.units.keys()


def test_a_token_knows_the_source_that_it_was_granted_for() -> None:
    granted = replace(token_granted(role=Role.SOURCE), source_name="mot-cua-h01")
    assert authenticate(rule_book(granted), DIGEST, MORNING).source_name == "mot-cua-h01"


def test_a_token_that_nobody_granted_is_no_token() -> None:
    with pytest.raises(Unauthorized):
        authenticate(rules_with(), "another digest", MORNING)


def test_a_token_is_good_until_the_moment_it_expires() -> None:
    authenticate(rules_with(), DIGEST, LATER_DUE - timedelta.resolution)
    with pytest.raises(Unauthorized):
        authenticate(rules_with(), DIGEST, LATER_DUE)


def test_a_revoked_token_is_no_token() -> None:
    with pytest.raises(Unauthorized):
        authenticate(rule_book(token_granted(), token_revoked()), DIGEST, MORNING)


def test_a_revocation_touches_one_token_only() -> None:
    other = UUID("70ce0000-0000-4000-8000-000000000002")
    second = replace(
        token_granted("second", token=other), originator_id=stream_of("token", str(other))
    )
    rules = rule_book(token_granted(), second, token_revoked())
    assert authenticate(rules, "second", MORNING).unit == DESK


def test_nobody_acts_for_a_unit_outside_of_the_own_subtree() -> None:
    sender(PROVINCE).must_act_for(AGENCY)
    with pytest.raises(Forbidden, match=AGENCY):
        sender(DESK).must_act_for(AGENCY)
    with pytest.raises(Forbidden, match=PROVINCE):
        sender(DESK).must_act_for(PROVINCE)


def test_an_accepted_dossier_exists_for_its_units_and_their_parents() -> None:
    assert seeing(accepted()) == {DESK, AGENCY, PROVINCE}
    assert seeing(accepted(competent_unit=DESK)) == {DESK, PROVINCE}


def test_who_it_is_offered_to_sees_it_while_the_offer_stands() -> None:
    offered = (accepted(competent_unit=DESK), transfer_offered(to_unit=OTHER_DESK))
    assert seeing(*offered) == {DESK, OTHER_DESK, PROVINCE}
    for end in (transfer_refused(unit=OTHER_DESK), transfer_timed_out()):
        assert seeing(*offered, end) == {DESK, PROVINCE}
    by_mistake = corrected(corrects="transfer-offered")
    assert seeing(*offered, by_mistake) == {DESK, PROVINCE}
    taken = transfer_accepted(unit=OTHER_DESK)
    back = transfer_accepted("back", unit=DESK)
    assert seeing(*offered, taken, back) == {DESK, OTHER_DESK, PROVINCE}


def test_a_unit_that_was_competent_once_keeps_seeing_it() -> None:
    moved = competence_transferred(to_unit=OTHER_DESK)
    assert seeing(accepted(), moved) == {DESK, AGENCY, OTHER_DESK, PROVINCE}


def test_the_successor_sees_what_its_predecessor_held() -> None:
    held = accepted(receiving_unit=ENDED, competent_unit=ENDED)
    assert seeing(held) == {ENDED, AGENCY, PROVINCE}
    assert seeing(held, unit_succeeded(predecessor=ENDED, successor=DESK)) == {
        ENDED,
        AGENCY,
        DESK,
        PROVINCE,
    }


def test_the_successor_of_a_successor_sees_it_too() -> None:
    rules = rule_book(unit_ended(AGENCY, successors=(DESK,)), token_granted(unit=DESK))
    dossier = replay(
        DOSSIER, history(accepted(receiving_unit=ENDED, competent_unit=ENDED)), rule_book()
    )
    assert authenticate(rules, DIGEST, MORNING).sees(dossier)


def test_until_it_is_opened_it_exists_for_those_for_whom_something_was_told() -> None:
    assert seeing(submitted()) == {DESK, PROVINCE}
    offered = told_for(AGENCY, transfer_offered(to_unit=DESK))
    assert seeing(offered) == {AGENCY, PROVINCE}


def test_who_sent_something_early_does_not_see_it_after_its_acceptance_by_others() -> None:
    early = told_for(OTHER_DESK, payment_recorded())
    assert seeing(early) == {OTHER_DESK, PROVINCE}
    assert seeing(early, accepted()) == {DESK, AGENCY, PROVINCE}


def test_a_dossier_without_any_event_exists_for_nobody() -> None:
    assert not sender(PROVINCE).sees(Dossier(id=DOSSIER))


def test_the_machine_acts_for_every_unit_and_nobody_else_is_it() -> None:
    rules = rule_book(unit_registered(UnitCode("H02"), parent=None))
    machine = Sender.machine("machine", Role.SOURCE, rules)
    assert machine.is_machine
    assert machine.scope == rules.units.keys()
    machine.must(Action.SEND_FACTS)
    with pytest.raises(Forbidden):
        machine.must(Action.KEEP_REGISTERS)
    assert not sender(PROVINCE).is_machine
