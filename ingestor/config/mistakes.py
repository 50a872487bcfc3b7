"""What is wrong with a configuration, said so that it can be put right."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from ingestor.config.settings import Settings, variable
from ingestor.config.words import expectation, is_secret

_SHOWN_CHARACTERS = 60


@dataclass(slots=True, frozen=True)
class Mistake:
    """One thing to put right: where, what is wrong, and what to do about it.

    `problem` continues the name of the variable to a sentence; `remedy` is a sentence of its own,
    without a full stop (it may end with an example), empty when the problem says it already.
    """

    variable: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        sentence = f"{self.variable} {self.problem}"
        return f"{sentence}. {self.remedy}" if self.remedy else sentence


class ConfigError(Exception):
    """The configuration cannot be used. Names every mistake at once, and no secret."""

    def __init__(self, details: Sequence[Mistake]) -> None:
        super().__init__(details)
        self.details = tuple(details)

    @property
    def mistakes(self) -> list[str]:
        """For each mistake one text with its remedy."""
        return [str(mistake) for mistake in self.details]

    def __str__(self) -> str:
        return "\n".join(self.mistakes)


def field_mistakes(
    error: ValidationError, given: Mapping[str, str], origins: Mapping[str, str]
) -> Iterator[tuple[str, Mistake]]:
    """What is wrong with single fields, each with the name of its field.

    `given` holds the text of every field that is set, `origins` the variable it came from.
    """
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        field = str(each["loc"][0])
        if field in given:
            problem = f"cannot be used: {shown(field, given[field])}"
            yield field, Mistake(origins[field], problem, remedy(field))
        else:
            yield field, Mistake(variable(field), "is not set", remedy(field))


def remedy(field: str) -> str:
    """What to set a field to, with an example."""
    info = Settings.model_fields[field]
    return f"Set it to {expectation(info)}, for example {variable(field)}={example(field)}"


def example(field: str) -> str:
    """A value of the field that can be used."""
    return str((Settings.model_fields[field].examples or [""])[0])


def shown(field: str, value: str) -> str:
    """A value as it may be shown: shortened, without secrets."""
    if is_secret(Settings.model_fields[field]):
        return f"{len(value)} characters, not shown because they are secret"
    if (of := Settings.model_fields.get(field.removesuffix("_file"))) and is_secret(of):
        return f"{len(value)} characters, not shown because they may be the secret"
    # People do put credentials into addresses, although addresses with credentials are refused.
    value = re.sub(r"^(\w+://)?.*@", r"\1…@", value, flags=re.DOTALL)
    value = re.sub(r"[?#].*", "…", value, flags=re.DOTALL)
    return repr(value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "…")
