"""Whatever devices send, each kind of route gives lines or a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.payloads import KINDS, SENT_AT_MS, TOPIC, messages

from ingestor.core.encode import Encoder
from ingestor.core.mapping import parse_mapping
from ingestor.core.message import Rejected


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_lines_or_a_reason(name: str, data: st.DataObject) -> None:
    """Never another error, never an empty line, and the same lines for the same message."""
    published = data.draw(messages(KINDS[name]))
    encoder = Encoder(parse_mapping(KINDS[name].mapping))
    found: list[list[bytes]] = []
    details: list[str] = []
    for _ in range(2):
        try:
            route, opened = encoder.open_payload(published, TOPIC, sent_at_ms=SENT_AT_MS)
            records = [None] * len(opened.readings)
            found.append(route.encode(opened, records, sent_at_ms=SENT_AT_MS))
        except Rejected as rejection:
            found.append([])
            details.append(rejection.detail)
    assert found[0] == found[1]
    assert all(len(detail) < 600 for detail in details)
    assert all(line.count(b" ") >= 2 for line in found[0])
