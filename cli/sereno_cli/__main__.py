"""`python -m sereno_cli`: the same as `sereno`, for children that must run under this very interpreter."""

from sereno_cli.main import main

main()
