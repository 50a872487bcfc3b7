"""What the `MetadataStore` port promises, kept by the fake, by the cache and by DynamoDB."""

import asyncio
from collections.abc import Mapping

import pytest
from contracts.emulators import emulator_named
from contracts.stores import OpenStore, cached, dynamodb_store, memory_store

from ingestor.core.metadata import Metadata


@pytest.fixture(
    params=[
        "memory",
        "cached",
        pytest.param("moto", marks=pytest.mark.servers),
        pytest.param("ministack", marks=pytest.mark.servers),
    ]
)
def open_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> OpenStore:
    """Makes stores of each implementation in turn."""
    if request.param == "memory":
        return memory_store
    if request.param == "cached":
        return cached(memory_store)
    emulator = emulator_named(request.param, request, monkeypatch)
    return dynamodb_store(emulator)


def attributes(answers: Mapping[str, Metadata | None]) -> dict[str, dict[str, str] | None]:
    """Answers without their objects, which are compared by identity."""
    return {key: None if each is None else each.attributes for key, each in answers.items()}


async def test_finds_records_and_says_which_do_not_exist(open_store: OpenStore) -> None:
    """Every key is answered: with its record, or with None where there is none."""
    async with open_store() as it:
        await it.put({"metakey": {"S": "1"}, "family": {"S": "sensors"}})
        await it.put({"metakey": {"S": "2"}, "family": {"S": "valves"}})
        answers = await it.store.fetch(["2", "nobody", "1"])
    assert attributes(answers) == {
        "1": {"metakey": "1", "family": "sensors"},
        "2": {"metakey": "2", "family": "valves"},
        "nobody": None,
    }


async def test_turns_every_scalar_into_text(open_store: OpenStore) -> None:
    """Strings, numbers, booleans and sets become tag values; the rest is left out."""
    async with open_store() as it:
        await it.put(
            {
                "metakey": {"S": "größe 🌡"},
                "text": {"S": "a, b = c"},
                "whole": {"N": "12"},
                "fraction": {"N": "-0.25"},
                "yes": {"BOOL": True},
                "no": {"BOOL": False},
                "names": {"SS": ["b", "a"]},
                "numbers": {"NS": ["10", "9"]},
                "empty": {"S": ""},
                "nothing": {"NULL": True},
                "bytes": {"B": b"\x00"},
                "list": {"L": [{"S": "a"}]},
                "map": {"M": {"a": {"S": "b"}}},
            }
        )
        answers = await it.store.fetch(["größe 🌡"])
    assert attributes(answers) == {
        "größe 🌡": {
            "metakey": "größe 🌡",
            "text": "a, b = c",
            "whole": "12",
            "fraction": "-0.25",
            "yes": "true",
            "no": "false",
            "names": "a,b",
            "numbers": "9,10",
        }
    }


async def test_answers_for_more_keys_than_one_call_takes(open_store: OpenStore) -> None:
    """Two hundred and fifty keys are answered together."""
    keys = [f"k{n}" for n in range(250)]
    known = keys[::25]
    async with open_store() as it:
        for key in known:
            await it.put({"metakey": {"S": key}})
        answers = await it.store.fetch(keys)
    assert set(answers) == set(keys)
    assert [key for key in keys if answers[key] is not None] == known


async def test_without_keys_there_is_nothing_to_answer(open_store: OpenStore) -> None:
    """An empty fetch is no failure."""
    async with open_store() as it:
        assert await it.store.fetch([]) == {}


async def test_fetches_run_side_by_side(open_store: OpenStore) -> None:
    """Concurrent fetches, of the same keys too, each have their own full answer."""
    async with open_store() as it:
        await it.put({"metakey": {"S": "1"}})
        every = await asyncio.gather(*(it.store.fetch(["1", f"no-{n}"]) for n in range(20)))
    for n, answers in enumerate(every):
        assert attributes(answers) == {"1": {"metakey": "1"}, f"no-{n}": None}


async def test_a_text_that_no_key_can_be_has_no_record(open_store: OpenStore) -> None:
    """The empty text, and one beyond every limit, do not spoil the answer for others."""
    too_long = "x" * 3000
    async with open_store() as it:
        await it.put({"metakey": {"S": "1"}})
        answers = await it.store.fetch(["", "1", too_long, "\ud800"])
    assert attributes(answers) == {"": None, "1": {"metakey": "1"}, too_long: None, "\ud800": None}
