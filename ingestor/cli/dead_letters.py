"""`ingestor dead-letters`."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ingestor.cli.output import Exit, console, write_json, write_mistakes
from ingestor.cli.world import world_of

if TYPE_CHECKING:  # see ingestor.cli.world
    from ingestor.adapters.sqs.dead_letters import DeadLetterBox
    from ingestor.console_ports import StoredLetter

_Result = TypeVar("_Result")

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]
Queue = Annotated[
    str | None,
    typer.Option(
        "--queue",
        help="The URL of another queue of dead letters, such as that of the rule's errors. "
        "Default: the dead-letter queue of the service.",
        show_default=False,
    ),
]
Reason = Annotated[str | None, typer.Option(help="Only letters with this reason.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many letters.")]

SAMPLES = 3

dead_letters = typer.Typer(
    help="Look at messages that could not be stored, send them again, or delete them.",
    no_args_is_help=True,
)


@dead_letters.command("list")
def list_letters(
    context: typer.Context,
    *,
    queue: Queue = None,
    reason: Reason = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Count dead letters by stage and reason, with a few samples of each.

    They stay where they are; while they are looked at nobody else sees them. Exit status: 0, also
    when there are none; 1 SQS cannot be asked; 2 the configuration is wrong.
    """
    from ingestor.app.letters import Choice, look, reason_of  # noqa: PLC0415 - see world

    found = _with_box(context, queue, lambda box: look(box, Choice(reason, limit)))
    groups: defaultdict[tuple[str, str], list[StoredLetter]] = defaultdict(list)
    for letter in found:
        groups[letter.attributes.get("stage", "-"), reason_of(letter)].append(letter)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    if as_json:
        write_json([_group(*key, letters) for key, letters in ordered])
        return
    out = console()
    out.print(f"{len(found)} dead letter{'' if len(found) == 1 else 's'}")
    for (stage, why), letters in ordered:
        out.print(f"{len(letters)}  {stage}: {why}", style="bold")
        for letter in letters[:SAMPLES]:
            out.print(f"    {letter.message_id}  {letter.attributes.get('detail', '')}")


@dead_letters.command()
def show(
    context: typer.Context,
    message_id: Annotated[str, typer.Argument(help="As `list` names it.")],
    *,
    queue: Queue = None,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter with everything that is known of it, its body included.

    Exit status: 0; 1 there is no such letter, or SQS cannot be asked; 2 the configuration is wrong.
    """
    from ingestor.app.letters import Choice, look  # noqa: PLC0415 - see world

    choice = Choice(message_ids=frozenset([message_id]))
    found = _with_box(context, queue, lambda box: look(box, choice))
    if not found:
        console(stderr=True).print(f"there is no dead letter {message_id}")
        raise typer.Exit(Exit.WORLD_WRONG)
    [letter] = found
    if as_json:
        write_json(_letter(letter) | {"body": letter.body})
        return
    out = console()
    for name, value in _letter(letter).items():
        out.print(f"{name}  {value}")
    out.print()
    typer.echo(letter.body)


@dead_letters.command()
def replay(
    context: typer.Context,
    *,
    queue: Queue = None,
    reason: Reason = None,
    limit: Limit = None,
    rate: Annotated[float, typer.Option(min=0.1, help="Letters a second, at most.")] = 100.0,
    hold_seconds: Annotated[
        int,
        typer.Option(
            min=1,
            max=43_200,
            help="How long letters under way stay invisible if the replay is killed.",
        ),
    ] = 300,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many it would be.")] = (
        False
    ),
    as_json: AsJson = False,
) -> None:
    """Send dead letters to the service again, each of which is then deleted here.

    Correct the mapping first. It can be interrupted at any time and started again: nothing is lost,
    and what was sent twice overwrites itself. Letters that come back meanwhile are left alone.

    Exit status: 0 all that were chosen are sent; 1 some could not be, or SQS cannot be asked; 2 the
    configuration is wrong.
    """
    from ingestor.app import letters  # noqa: PLC0415 - see world

    choice = letters.Choice(reason, limit)
    if dry_run:
        number = len(_with_box(context, queue, lambda box: letters.look(box, choice)))
        if as_json:
            write_json({"chosen": number, "sent": 0, "not_restorable": 0, "dry_run": True})
        else:
            typer.echo(f"{number} would be sent again")
        return
    done = _with_box(
        context,
        queue,
        lambda box: letters.replay(box, choice, per_second=rate),
        hold_seconds=hold_seconds,
    )
    if as_json:
        counts = {"chosen": done.chosen, "sent": done.sent, "not_restorable": done.not_restorable}
        write_json(counts | {"dry_run": False})
    else:
        typer.echo(f"{done.sent} of {done.chosen} sent again")
    for note in done.notes:
        console(stderr=True).print(note)
    raise typer.Exit(Exit.FINE if done.sent == done.chosen else Exit.WORLD_WRONG)


@dead_letters.command()
def purge(
    context: typer.Context,
    *,
    queue: Queue = None,
    reason: Reason = None,
    limit: Limit = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete dead letters for good.

    Exit status: 0; 1 it was not confirmed, or SQS cannot be asked; 2 the configuration is wrong.
    """
    from ingestor.app import letters  # noqa: PLC0415 - see world

    if not yes:
        what = "all dead letters" if reason is None else f"all dead letters with reason {reason}"
        typer.confirm(f"Delete {what} for good?", abort=True)
    choice = letters.Choice(reason, limit)
    number = _with_box(context, queue, lambda box: letters.purge(box, choice))
    typer.echo(f"{number} deleted")


def _with_box(
    context: typer.Context,
    url: str | None,
    job: "Callable[[DeadLetterBox], Awaitable[_Result]]",
    *,
    hold_seconds: int = 300,
) -> _Result:
    """The result of a job with the queue of dead letters; ends the program when it is in vain."""
    from ingestor.adapters.sqs import QueueSetupError  # noqa: PLC0415 - see world
    from ingestor.app.letters import open_box  # noqa: PLC0415 - see world
    from ingestor.config import ConfigError, load  # noqa: PLC0415 - see world
    from ingestor.ports import Unavailable  # noqa: PLC0415 - see world

    try:
        settings = load(world_of(context).environ)
    except ConfigError as error:
        write_mistakes(error.mistakes)
        raise typer.Exit(Exit.USAGE_WRONG) from None

    async def run() -> _Result:
        async with open_box(settings, url, hold_seconds=hold_seconds) as box:
            return await job(box)

    try:
        return asyncio.run(run())
    except (QueueSetupError, Unavailable) as error:
        console(stderr=True).print(str(error))
        raise typer.Exit(Exit.WORLD_WRONG) from None


def _letter(letter: "StoredLetter") -> dict[str, Any]:
    arrived = datetime.fromtimestamp(letter.sent_at_ms / 1000, UTC).isoformat()
    return {"id": letter.message_id, "arrived": arrived, **letter.attributes}


def _group(stage: str, reason: str, letters: "list[StoredLetter]") -> dict[str, Any]:
    return {
        "stage": stage,
        "reason": reason,
        "count": len(letters),
        "samples": [_letter(letter) for letter in letters[:SAMPLES]],
    }
