"""A stage's tasks: several short units in one, those that wait for others released, none lost, none twice."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from pipeline.attempts import Attempt, Failure
from pipeline.needs import Need
from pipeline.stage_tasks import HOPELESS, StageTasks
from pipeline.units import Unit


class NoLine:
    def advance(self) -> None:
        pass

    def finish(self) -> None:
        pass


def stage(units: int, seconds: list[float]) -> StageTasks:
    tasks = StageTasks("score", NoLine(), print)
    for i in range(units):
        tasks.add(Attempt([Unit("score", str(i), 1)]), set())
    if seconds:
        tasks.seconds[Need(), None] = deque(seconds)
    return tasks


def first(tasks: StageTasks, room: int) -> int:
    """Return how many units the first task has."""
    return len(next(tasks.due(lambda need: room), []))


def test_units_that_take_no_time_are_done_several_in_a_task() -> None:
    assert first(stage(1000, []), 6) == 1, "nothing is known yet"
    assert first(stage(1000, [0.01, 0.01, 9.0]), 6) == 50, "half a second of them"
    assert first(stage(1000, [2.0]), 6) == 1
    assert first(stage(60, [0.01]), 6) == 10, "no worker is left without"
    assert first(stage(3, [0.01]), 6) == 1
    assert first(stage(0, [0.01]), 6) == 0


def test_a_kind_of_unit_is_not_judged_by_the_time_of_another() -> None:
    """A rewrite by a model takes hours where rules take seconds: it has not stalled."""
    tasks = stage(0, [])
    rules, model = (Attempt([Unit("rewrite", name, 1, {"variant": f"wiki.{name}"})]) for name in ("qa", "llm"))
    tasks.took(rules, 2.0)
    assert tasks.median(rules) == 2.0
    assert tasks.median(model) is None


def test_what_is_tried_again_goes_first_and_alone() -> None:
    tasks = stage(1000, [0.01])
    tasks.again(Attempt([Unit("score", "again", 1)], errors=1), 0)
    found = tasks.due(lambda need: 6)
    assert [attempt.units[0].name for attempt in next(found)] == ["again"]
    assert len(next(found)) > 1


def test_a_stage_where_nothing_succeeds_is_not_tried_to_its_end() -> None:
    tasks = stage(1000, [])
    tasks.failures += [Failure(Unit("score", "x", 1), "no")] * HOPELESS
    assert first(tasks, 6) == 0
    assert tasks.is_complete


@given(
    waits=st.lists(st.sets(st.sampled_from("abcde")), max_size=20),
    made=st.permutations("abcde"),
    rooms=st.lists(st.integers(0, 5), min_size=6, max_size=6),
)
def test_each_unit_is_due_once_and_not_before_what_it_reads(
    waits: list[set[str]], made: list[str], rooms: list[int]
) -> None:
    tasks, there, submitted = stage(0, []), set(), []
    for i, refs in enumerate(waits):
        need = Need(gpus=i % 2)
        tasks.add(Attempt([Unit("score", str(i), 1)], need=need), set(refs))
    for ref, most in zip([None, *made], rooms, strict=True):
        if ref:
            there.add(ref)
            tasks.release(ref)
        left = {Need(): most, Need(gpus=1): most}
        for attempts in tasks.due(left.__getitem__):
            for attempt in attempts:
                left[attempt.need] -= 1
                number = int(attempt.units[0].name)
                assert waits[number] <= there
                submitted.append(number)
        assert min(left.values()) >= 0, "never more than there is room for"
    for attempts in tasks.due(lambda need: 100):
        submitted += [int(attempt.units[0].name) for attempt in attempts]
    assert sorted(submitted) == list(range(len(waits)))
    assert tasks.is_complete
