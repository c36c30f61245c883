"""One module a command; `sereno_cli.main` imports a module only when its command is used."""
