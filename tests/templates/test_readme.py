"""`cfn/README.md` says what the templates, the plan and the calculator say."""

from support.cfn_readme import README, blocks, written
from support.costs import lambda_per_message, ours
from support.costs_by_rate import RATES, container, crossing, function


def test_generated_parts_are_current() -> None:
    """Commands, parameters and costs are those of this checkout."""
    text = README.read_text()

    assert text == written(text), "run `PYTHONPATH=.:tests python -m support.cfn_readme`"


def test_every_generated_part_is_shown() -> None:
    """No template is left out of the walk-through or of the tables."""
    text = README.read_text()

    assert [name for name in blocks() if f"<!-- {name} -->" not in text] == []


def test_no_cost_is_left_out_of_the_sum() -> None:
    """The parts of a bill are its total, and computing grows with the fleet."""
    small, large = ours(20), ours(100_000)

    assert large.total == sum((large.connections, large.messages, large.computing, large.standing))
    assert small.computing < large.computing


def test_the_service_becomes_cheaper_once() -> None:
    """Below the crossing the function costs less; from it on, where shown, the service does."""
    at = crossing()

    assert all(function(rate) <= container(rate) for rate in range(1, at))
    assert all(container(rate) < function(rate) for rate in (at, *RATES) if rate >= at)
    assert min(RATES) < at < max(RATES)


def test_savings_are_told_for_both_sides() -> None:
    """Basic Ingest saves the same with a queue and with a function."""
    queue = ours(1_000).total - ours(1_000, basic_ingest=True).total
    function = lambda_per_message(1_000).total - lambda_per_message(1_000, basic_ingest=True).total

    assert round(queue, 6) == round(function, 6) > 0
