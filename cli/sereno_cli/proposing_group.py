"""Groups that import a command when it is called: a slip of the pen is answered with the nearest name all the same."""

import click


class ProposingGroup(click.Group):
    """click proposes among commands that are imported; this one among all that `list_commands` names."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names.

        Raises:
            click.UsageError: there is none; the message has the nearest names.
        """
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            from difflib import get_close_matches

            near = get_close_matches(name, self.list_commands(ctx), n=3)
            if near:
                proposed = " or ".join(map(repr, near))
                raise click.UsageError(f"No such command {name!r}. Did you mean {proposed}?", ctx)
        return super().resolve_command(ctx, args)
