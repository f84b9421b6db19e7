"""Refusals of actions, as a page says them."""

from collections.abc import Iterable

from django import forms

from metrics.actions.errors import Invalid

OUT_OF_DATE = "This form is out of date; load the page again."
"""Said when a button sent what the page doesn't offer."""


def add_errors(form: forms.Form, problem: Invalid) -> None:
    """Put each sentence of `problem` beside its field, and above the form what no field is for."""
    for field, message in problem.all:
        name = field.rpartition(".")[2]
        form.add_error(name if name in form.fields else None, beside(field, message))


def beside(field: str, message: str) -> str:
    """Return the sentence of a refusal as it stands beside its field, whose name it need not repeat."""
    said = message.removeprefix(f"{field}: ")
    return message if said == message else said[:1].upper() + said[1:]


def by_field(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the sentences of a refusal by the first part of their field's name, without that name."""
    return {where.partition(".")[0]: sentence(said) for where, said in found}


def sentence(said: str) -> str:
    """Return what is wrong without the name of the field that it stands beside."""
    after = said.partition(": ")[2] or said
    return after[:1].upper() + after[1:]
