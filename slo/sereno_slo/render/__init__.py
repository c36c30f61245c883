"""From the model and the planned rules to files: one module a kind of artefact."""
