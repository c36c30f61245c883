"""Names and labels as Kubernetes takes them; it refuses an object with others only when somebody applies it.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/, "Object Names and IDs" and "Labels and
Selectors".
"""

import re
from typing import Annotated

from pydantic import AfterValidator

from sereno_slo.parse.words import mistake

_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_WORD = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_LONGEST_WORD = 63
_LONGEST_PREFIX = 253


def _name(text: str) -> str:
    if len(text) > _LONGEST_WORD or not re.fullmatch(_DNS_LABEL, text):
        message = (
            f"{text!r} is no name of a namespace: lower-case words with hyphens, at most {_LONGEST_WORD} characters"
        )
        raise mistake("SLO085", message, "write for example monitoring")
    return text


def _labels(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if not _is_key(key):
            message = f"{key!r} is no label of a Kubernetes object"
            raise mistake("SLO085", message, "write a word of letters, digits, -, _ and ., for example release")
        if value and not _is_word(value):
            message = f"the label {key} can't have the value {value!r} in Kubernetes"
            cure = f"write letters, digits, -, _ and ., at most {_LONGEST_WORD} characters"
            raise mistake("SLO085", message, cure)
    return labels


def _is_key(key: str) -> bool:
    prefix, slash, word = key.rpartition("/")
    is_prefix = len(prefix) <= _LONGEST_PREFIX and re.fullmatch(rf"{_DNS_LABEL}(\.{_DNS_LABEL})*", prefix)
    return _is_word(word) and (not slash or bool(is_prefix))


def _is_word(text: str) -> bool:
    return len(text) <= _LONGEST_WORD and bool(re.fullmatch(_LABEL_WORD, text))


KubernetesName = Annotated[str, AfterValidator(_name)]
KubernetesLabels = Annotated[dict[str, str], AfterValidator(_labels)]
