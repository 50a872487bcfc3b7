"""From an environment to settings, or to every mistake in it."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from ingestor.config.mistakes import ConfigError, Mistake, example, field_mistakes, shown
from ingestor.config.rules import rule_mistakes
from ingestor.config.settings import Settings, variable

PREFIX = variable("")
FROM_FILE = ("influxdb_token", "influxdb_password", "mapping", "console_influxdb_token")
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
    given = _given(environ)
    origins = {field: variable(field) for field in given}
    found = [each for field in FROM_FILE for each in _from_file(field, given, origins)]
    settings, more = _validated(given, origins, {field for field, _ in found})
    found += more
    place = list(Settings.model_fields).index
    found.sort(key=lambda each: place(each[0]))
    mistakes = [mistake for _, mistake in found]
    mistakes += rule_mistakes(settings, origins, {field for field, _ in found})
    mistakes += _unknown(environ)
    if mistakes:
        raise ConfigError(mistakes)
    return settings


def ops_place(environ: Mapping[str, str]) -> tuple[str, int]:
    """Host and port on which a service with this environment listens for operators.

    Raises:
        ConfigError: with the mistakes of these two; no other variable is needed or looked at.
    """
    fields = ("ops_host", "ops_port")
    given = {field: text for field, text in _given(environ).items() if field in fields}
    origins = {field: variable(field) for field in given}
    settings, found = _validated(given, origins, set())
    if mistakes := [mistake for field, mistake in found if field in fields]:
        raise ConfigError(mistakes)
    return settings.ops_host, settings.ops_port


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """The text of every field that is set."""
    texts = {field: environ.get(variable(field), "").strip() for field in Settings.model_fields}
    return {field: text for field, text in texts.items() if text}


def _validated(
    given: Mapping[str, str], origins: Mapping[str, str], doubtful: set[str]
) -> tuple[Settings, list[tuple[str, Mistake]]]:
    """Settings to go on with, and what was wrong with single fields besides `doubtful` ones.

    Where something is wrong, an example takes the place of the value, so that mistakes between
    the fields that are right can still be found.
    """
    usable = {**given, **{field: example(field) for field in doubtful}}
    try:
        return Settings.model_validate(usable), []
    except ValidationError as error:
        found = list(field_mistakes(error, given, origins))
    usable |= {field: example(field) for field, _ in found}
    return Settings.model_validate(usable), found


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
                f"names a file that cannot be read: {shown(f'{field}_file', named)}: {reason}",
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


def _unknown(environ: Mapping[str, str]) -> Iterator[Mistake]:
    # Compared without the prefix, which would make all of them similar.
    known = [field.upper() for field in Settings.model_fields]
    for name in sorted(environ):
        own = name.removeprefix(PREFIX)
        ours = own != name and not _NOT_OURS.fullmatch(name) and environ[name].strip()
        if not ours or own in known:
            continue
        close = get_close_matches(own.upper(), known, n=1, cutoff=0.75)
        remedy = f"Did you mean {PREFIX}{close[0]}?" if close else "Unset it"
        yield Mistake(name, "is not a setting of this version", remedy)
