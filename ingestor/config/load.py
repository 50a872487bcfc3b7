"""From an environment to settings, or to every mistake in it."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from ingestor.config.mistakes import ConfigError, Mistake, example, field_mistakes
from ingestor.config.rules import rule_mistakes
from ingestor.config.settings import Settings, variable

PREFIX = variable("")
FROM_FILE = ("influxdb_token", "influxdb_password", "mapping")
"""Fields whose text can also come from the file that `<field>_file` names."""

_FILE_BYTES = 1024**2
_NOT_OURS = re.compile(
    # The development tools' own variables.
    r"INGESTOR_(TEST_.*|CACHE|MINISTACK"
    # What Kubernetes and Docker set for every container beside a service called "ingestor".
    r"|SERVICE_(HOST|PORT)(_.*)?|PORT(_\d+_(TCP|UDP).*)?)"
)


def load(environ: Mapping[str, str]) -> Settings:
    """The settings that the `INGESTOR_*` variables of `environ` describe.

    An empty or blank value counts as not set, and white space around a value is dropped, because
    container platforms add both. Reads the files that are named, and nothing else.

    Raises:
        ConfigError: with every mistake, of single variables and between them.
    """
    names = {variable(field): field for field in Settings.model_fields}
    set_variables = {
        name: value.strip()
        for name, value in environ.items()
        if name.startswith(PREFIX) and not _NOT_OURS.fullmatch(name) and value.strip()
    }
    given = {field: set_variables[name] for name, field in names.items() if name in set_variables}
    origins = {field: variable(field) for field in given}
    found: list[tuple[str, Mistake]] = []
    for field in FROM_FILE:
        found += _from_file(field, given, origins)
    # Where a mistake is found, an example takes the place of the value, so that the search can go
    # on: between the fields that are right.
    usable = given | {field: example(field) for field, _ in found}
    try:
        settings = Settings.model_validate(usable)
    except ValidationError as error:
        found += field_mistakes(error, given, origins)
        usable |= {field: example(field) for field, _ in found}
        settings = Settings.model_validate(usable)
    place = list(Settings.model_fields).index
    found.sort(key=lambda each: place(each[0]))
    mistakes = [mistake for _, mistake in found]
    mistakes += rule_mistakes(settings, origins, {field for field, _ in found})
    mistakes += _unknown(set(set_variables) - set(names), list(names))
    if mistakes:
        raise ConfigError(mistakes)
    return settings


def ops_place(environ: Mapping[str, str]) -> tuple[str, int]:
    """Host and port that a service with this environment listens on for operators.

    None of its other variables is needed or looked at.

    Raises:
        ConfigError: with the mistakes of these two.
    """
    needed = {field for field, info in Settings.model_fields.items() if info.is_required()}
    only = {variable(field): example(field) for field in needed}
    only |= {
        variable(field): example(field)
        for field in ("influxdb_org", "influxdb_bucket", "influxdb_token")
    }
    for name in (variable("ops_host"), variable("ops_port")):
        only[name] = environ.get(name, "")
    settings = load(only)
    return settings.ops_host, settings.ops_port


def _from_file(
    field: str, given: dict[str, str], origins: dict[str, str]
) -> Iterator[tuple[str, Mistake]]:
    """Put the text of a named file in the place of the field itself."""
    named = given.get(f"{field}_file")
    if named is None:
        return
    file_variable = variable(f"{field}_file")
    if field in given:
        problem = f"and {variable(field)} are both set"
        yield field, Mistake(file_variable, problem, "Keep one of them and unset the other")
        return
    try:
        text = _read(Path(named))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        yield (
            field,
            Mistake(
                file_variable,
                f"names a file that cannot be read: {named!r}: {reason}",
                "Name a text file that the service's user may read, for example "
                f"{file_variable}={example(f'{field}_file')}",
            ),
        )
        return
    given[field] = text
    origins[field] = file_variable


def _read(path: Path) -> str:
    # One byte more than allowed: enough to notice, whatever the size, even of an endless device.
    with path.open("rb") as file:
        content = file.read(_FILE_BYTES + 1)
    if len(content) > _FILE_BYTES:
        raise ValueError(f"it is larger than {_FILE_BYTES} bytes")
    try:
        text = content.decode().strip()
    except UnicodeDecodeError as exc:
        raise ValueError("it is not text in UTF-8") from exc
    if not text:
        raise ValueError("it is empty")
    return text


def _unknown(names: set[str], known: list[str]) -> Iterator[Mistake]:
    for name in sorted(names):
        close = get_close_matches(name.upper(), known, n=1, cutoff=0.75)
        remedy = f"Did you mean {close[0]}?" if close else "Unset it"
        yield Mistake(name, "is not a setting of this version", remedy)
