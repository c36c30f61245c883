"""From a document to a model: what a spec means, and every mistake that the grammar alone can't see."""

from sereno_slo.validate.meaning import service_of, settings_of
from sereno_slo.validate.structure import structural_mistakes

__all__ = ["service_of", "settings_of", "structural_mistakes"]
