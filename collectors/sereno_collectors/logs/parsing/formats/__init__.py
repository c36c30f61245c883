"""Forms of log lines that are no ECS JSON: pure functions, from a line to ECS fields, never an exception."""

from sereno_collectors.logs.parsing.formats.by_file import Formats
from sereno_collectors.logs.parsing.formats.choosing import recognise_object, recognise_text
from sereno_collectors.logs.parsing.formats.values import ReadingContext, Recognised

__all__ = ["Formats", "ReadingContext", "Recognised", "recognise_object", "recognise_text"]
