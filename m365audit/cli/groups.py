"""A group of commands that answers a misspelt one with the nearest there is, imported yet or not."""

from __future__ import annotations

import click


class Group(click.Group):
    """A group of which not every command is registered: of the others click itself suggests none."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was named.

        Raises:
            click.UsageError: there is none of that name.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from m365audit.config.spelling import nearest, shown  # noqa: PLC0415 - slow, and for a mistake alone

            close = nearest(args[0], self.list_commands(ctx))
            if close is None or args[0].startswith("-"):
                raise
            raise click.UsageError(f"No such command {shown(args[0])}. Did you mean '{close}'?", ctx) from None
