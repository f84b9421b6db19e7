"""How an action says that what it was asked for can't be done."""

from pydantic import ValidationError


class Invalid(Exception):
    """What was asked for can't be made; `field` names what is wrong with it, the message says so in a sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def sentence(problem: ValidationError, where: str) -> tuple[str, str]:
    """Return the field and the sentence of the first error of `problem`; `where` begins the field's name."""
    first = problem.errors()[0]
    field = ".".join([where, *map(str, first["loc"])])
    return field, f"{field}: {first['msg']}."
