# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of ``mm_fusion``: gathers the commands and turns refused input into one line."""

from __future__ import annotations

import sys

import typer

from mm_fusion.cli import (
    build_engines,
    demo,
    doctor,
    evaluate,
    export,
    inspect,
    pretrain,
    quantise,
    sign,
    simulate,
    train,
    validate,
)
from mm_fusion.errors import MmFusionError

app = typer.Typer(
    name='mm_fusion',
    help='Multimodal road-state and ego-trajectory perception.',
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command('evaluate')(evaluate.evaluate)
app.command('train')(train.train)
app.command('pretrain')(pretrain.pretrain)
app.command('export')(export.export)
app.command('quantise')(quantise.quantise)
app.command('build-engines')(build_engines.build_engines)
app.command('sign')(sign.sign)
app.command('simulate')(simulate.simulate)
app.command('demo')(demo.demo)
app.command('inspect')(inspect.inspect)
app.command('doctor')(doctor.doctor)
app.add_typer(validate.app, name='validate')


def main() -> None:
    """Run the command line; refused input ends with one line on stderr and exit status 2."""
    try:
        app()
    except MmFusionError as error:
        sys.stderr.write(f'mm_fusion: {error}\n')
        raise SystemExit(2) from None


if __name__ == '__main__':
    main()
