"""What `sereno dora` was asked about: a store of DevOps events, the numbers of the rules, and what they come to now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sereno_exporters.dora.history import DeliveryHistory
from sereno_exporters.dora.policy import DEFAULT_POLICY, DoraPolicy
from sereno_exporters.dora.verdicts import JudgedDeployment, judged

DEFAULT_STORE = Path("var/devops.sqlite")


class DoraRefused(Exception):  # noqa: N818 - reads as what happened
    """The arguments can't be used; the message says why and what to write."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where events are, and how they are judged."""

    store: Path
    policy: DoraPolicy


@dataclass(frozen=True, slots=True)
class Judgement:
    """A store's history, judged."""

    history: DeliveryHistory
    deployments: tuple[JudgedDeployment, ...]
    now: datetime


def asked_of(store: Path | None, config: Path | None, target: str | None) -> Asked | None:
    """The store and the rules that the options mean; None where the configuration's mistakes were printed.

    Raises:
        DoraRefused: the options contradict each other, or name no target.
    """
    if config is None:
        if target is not None:
            raise DoraRefused("--target names a target of a configuration; add --config exporters.yaml")
        return Asked(store or DEFAULT_STORE, DEFAULT_POLICY)
    if store is not None:
        raise DoraRefused("--store and --config name two stores; give one")
    return _configured(config, target)


def judge(asked: Asked, now: datetime) -> Judgement:
    """Read the store, and judge.

    Raises:
        DevOpsStoreUnavailable: it can't be read.
    """
    from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
    from sereno_exporters.dora.reading import read_history

    history = read_history(SqliteDevOpsEventStore(asked.store))
    return Judgement(history, judged(history, asked.policy, now), now)


def _configured(config: Path, name: str | None) -> Asked | None:
    from sereno_slo.diagnostics import has_errors

    from sereno_cli.exporters_file import read_targets
    from sereno_cli.specs import print_diagnostics

    targets, diagnostics = read_targets(config)
    print_diagnostics(diagnostics, "no figures were read")
    if has_errors(diagnostics):
        return None
    own = [each.target for each in targets if each.kind.name == "dora"]
    chosen = [target for target in own if name in (None, target.name)]
    if len(chosen) == 1:
        settings = chosen[0].settings
        return Asked(chosen[0].file(settings.store), settings.rules.policy())
    raise DoraRefused(_not_one([target.name for target in own], config, name))


def _not_one(names: Sequence[str], config: Path, name: str | None) -> str:
    if not names:
        return f"{config} has no targets for dora: add exporters: {{dora: {{targets: …}}}}"
    if name is None:
        return f"{config} has several targets for dora; choose with --target: {', '.join(names)}"
    return f"{config} has no target {name} for dora; there are: {', '.join(names)}"
