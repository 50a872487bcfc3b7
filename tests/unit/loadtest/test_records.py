"""The records of the demo's table, and the mapping that stores its readings."""

from ingestor.core.mapping import parse_mapping
from ingestor.core.tagvalues import tag_values
from loadtest.mapping import MAPPING, MEASUREMENT
from loadtest.records import RECORDS


def test_the_expected_tags_follow_the_rule_of_the_service() -> None:
    """What is written out by hand as expected agrees with the rule for every record."""
    for record in RECORDS:
        assert record.tags == tag_values(record.item)


def test_the_records_show_several_makers_and_every_kind_of_attribute() -> None:
    """Several manufacturers and families, and strings, numbers, booleans and sets, are there."""
    kinds = {kind for record in RECORDS for typed in record.item.values() for kind in typed}

    assert {"S", "N", "BOOL", "SS", "NS"} <= kinds
    assert len({record.tags["manufacturer"] for record in RECORDS}) >= 3
    assert len({record.tags["family"] for record in RECORDS}) >= 5
    assert len({record.key for record in RECORDS}) == len(RECORDS)


def test_the_mapping_stores_the_sequence_too() -> None:
    """The stack's mapping is the built-in one with one field more."""
    (route,) = parse_mapping(MAPPING).routes

    assert route.measurement.constant == MEASUREMENT
    assert sorted(route.fields) == ["pressureValue", "sequence", "viscosity"]
    assert route.fields["sequence"].type == "integer"
