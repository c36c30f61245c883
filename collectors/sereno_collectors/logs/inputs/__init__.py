"""How events come in: files, standard input, OTLP; each hands chunks to the intake."""
