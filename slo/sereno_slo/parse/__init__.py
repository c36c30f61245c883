"""From text to a document of the grammar, with the place of every value; every mistake at once."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from sereno_slo.diagnostics import Diagnostic, has_errors
from sereno_slo.parse.grammar import SpecDocument
from sereno_slo.parse.problems import diagnostics_of
from sereno_slo.parse.settings_grammar import SettingsDocument
from sereno_slo.parse.yaml_tree import YamlTree, read_yaml
from sereno_slo.source import SourceFile

__all__ = ["Parsed", "parse_as", "parse_settings", "parse_spec"]

Document = TypeVar("Document", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Document]):
    """A document and where its values stand; no document where the text has errors."""

    document: Document | None
    tree: YamlTree | None
    diagnostics: tuple[Diagnostic, ...]


def parse_spec(source: SourceFile) -> Parsed[SpecDocument]:
    """Read a spec of `sereno/v1`."""
    return parse_as(source, SpecDocument)


def parse_settings(source: SourceFile) -> Parsed[SettingsDocument]:
    """Read a `sereno.yaml`."""
    return parse_as(source, SettingsDocument)


def parse_as(source: SourceFile, grammar: type[Document]) -> Parsed[Document]:
    """Read a file of any grammar."""
    tree, diagnostics = read_yaml(source)
    if tree is None:
        return Parsed(None, None, diagnostics)
    try:
        document = grammar.model_validate(tree.value)
    except ValidationError as error:
        return Parsed(None, tree, (*diagnostics, *diagnostics_of(error, tree, grammar)))
    return Parsed(None if has_errors(diagnostics) else document, tree, diagnostics)
