"""`sipveil plan`: what would become of each field towards a trunk, and which rule decided, without a message."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import click

from filters.engine import build
from tap.explain_ends import ExplainError
from tap.given_configuration import given, subscribers_now
from tap.plan_report import Document, Question, resolve
from tap.plan_view import show
from tap.printed import Form, printed
from tap.rule_line import RuleLines


class _Options(NamedTuple):
    config: Path | None
    subscriber: str
    trunk: str
    direction: str
    method: str
    privacy: str


@click.command()
@click.option("--config", "config", type=click.Path(path_type=Path), help="The configuration; default: the example's.")
@click.option("--subscriber", default="", help="Address of record whose settings apply; default: the default profile.")
@click.option("--trunk", default="", help="The trunk that it is about; default: the only one for ordinary calls.")
@click.option(
    "--direction", type=click.Choice(["out", "in"]), default="out", show_default=True,
    help="out: what the trunk sees of the subscriber; in: what phones see of the trunk's side.",
)  # fmt: skip
@click.option("--method", default="INVITE", show_default=True, help="Of the request that begins a dialog.")
@click.option("--privacy", default="", help='What the caller asks for, as in a Privacy header: "id;header".')
@printed
def plan(form: Form, **options: Any) -> None:  # noqa: ANN401 - as click has read them
    """Show the whole plan: for each category who decided and what that overrode, for each field what becomes of it.

    It asks the proxy's own code, opens no socket and writes no file. Exit code 1: there is no such plan.
    """
    asked = _Options(**options)
    try:
        document = _resolved(asked)
    except ExplainError as error:
        click.echo(f"sipveil plan: {error}", err=True)
        sys.exit(1)
    form.show(document, show)


def _resolved(asked: _Options) -> Document:
    settings, file = given(asked.config)
    engine = build(settings, subscribers_now(settings, "plan"))
    question = Question(asked.trunk, asked.direction == "in", asked.subscriber, asked.method, asked.privacy)
    document = resolve(settings, engine, question, RuleLines(settings, file), str(file.path))
    if asked.config is None:
        document["remarks"].append("with the example's configuration; give your own by --config")
    return document
