"""`ingestor map`."""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingestor.cli.mapping import compiled, find_mapping, read_file, wrong
from ingestor.cli.output import Exit, aligned, console, write_json
from ingestor.cli.world import world_of

if TYPE_CHECKING:  # see ingestor.cli.world
    from ingestor.core.encode import Encoder
    from ingestor.core.metadata import Metadata
    from ingestor.core.sample import Outcome

Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Samples, one message each; - is standard input."),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        help="The mapping. Default: that of INGESTOR_MAPPING or INGESTOR_MAPPING_FILE, else the "
        "built-in one.",
        show_default=False,
    ),
]
MetadataFile = Annotated[
    Path | None,
    typer.Option(
        "--metadata",
        help='Metadata records: JSON, {"<key>": {"<attribute>": "<value>"}}. Default: none exist.',
        show_default=False,
    ),
]
Topic = Annotated[
    str | None,
    typer.Option(
        help="Take samples for what devices published on this topic. Default: a sample is the "
        "message that the rule puts into the queue.",
        show_default=False,
    ),
]
SentAt = Annotated[
    str | None,
    typer.Option(
        help="When the messages entered the queue: ISO 8601 or an epoch number. Default: now.",
        show_default=False,
    ),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Say which rule produced each part of a line.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]


def map_samples(
    context: typer.Context,
    files: Files,
    *,
    mapping: MappingFile = None,
    metadata: MetadataFile = None,
    topic: Topic = None,
    sent_at: SentAt = None,
    explain: Explain = False,
    as_json: AsJson = False,
) -> None:
    """Turn sample messages into line protocol, offline.

    Lines go to standard output; why a sample is refused, and what to do about it, to standard
    error. Exit status: 0 all samples become lines; 1 some are refused; 2 the mapping, a file or
    the command line is wrong.
    """
    from ingestor.core.sample import Sample, try_out  # noqa: PLC0415 - see ingestor.cli.world

    encoder = _encoder(context, mapping)
    records = _records(metadata)
    sent_at_ms = _milliseconds(sent_at)
    outcomes = [
        try_out(
            encoder, Sample(name, read_file(name), topic, topic is not None), records, sent_at_ms
        )
        for name in files
    ]
    if as_json:
        _write_documents(outcomes, explained=explain)
    else:
        for outcome in outcomes:
            _report(outcome, explained=explain)
    raise typer.Exit(Exit.FINE if all(each.ok for each in outcomes) else Exit.WORLD_WRONG)


def _encoder(context: typer.Context, file: Path | None) -> "Encoder":
    from ingestor.core.encode import Encoder  # noqa: PLC0415 - see ingestor.cli.world

    return Encoder(compiled(*find_mapping(world_of(context).environ, file)))


def _records(file: Path | None) -> "dict[str, Metadata]":
    from ingestor.core.records import NoRecords, read_records  # noqa: PLC0415 - see cli.world

    if file is None:
        return {}
    try:
        return read_records(read_file(str(file)))
    except NoRecords as error:
        wrong(f"{file}: {error}")


def _milliseconds(text: str | None) -> int:
    from ingestor.core.timestamps import parse_time  # noqa: PLC0415 - see ingestor.cli.world

    if text is None:
        return time.time_ns() // 1_000_000
    with suppress(ValueError):
        return parse_time(text)[0] // 1_000_000
    raise typer.BadParameter("it is neither ISO 8601 nor an epoch number", param_hint="--sent-at")


def _hint(outcome: "Outcome") -> str | None:
    from ingestor.core.hints import HINTS  # noqa: PLC0415 - see ingestor.cli.world
    from ingestor.core.message import Reason  # noqa: PLC0415 - the same

    if outcome.held_back is not None:
        return HINTS[Reason.NO_METADATA]
    return HINTS[outcome.rejection.reason] if outcome.rejection is not None else None


def _write_documents(outcomes: "Sequence[Outcome]", *, explained: bool) -> None:
    from ingestor.core.sample import as_document  # noqa: PLC0415 - see ingestor.cli.world

    write_json([as_document(each, explained=explained, hint=_hint(each)) for each in outcomes])


def _report(outcome: "Outcome", *, explained: bool) -> None:
    out = console()
    for line, parts in zip(outcome.lines, outcome.parts, strict=True):
        out.print(line, style="bold" if explained else None)
        if explained:
            columns = [aligned(column) for column in zip(*parts, strict=True)]
            for what, text, rule, source in zip(*columns, strict=True):
                out.print(f"  {what}  {text}  {rule}  {source}".rstrip())
    why = outcome.rejection or (outcome.held_back and f"held back: {outcome.held_back}")
    if why:
        console(stderr=True).print(f"{outcome.name}: {why}. {_hint(outcome)}")
