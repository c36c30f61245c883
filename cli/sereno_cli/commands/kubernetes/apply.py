"""`sereno kubernetes apply`: a compiled folder becomes objects of a cluster."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_backends.kubernetes import Access, KubernetesClient

    from sereno_cli.cluster_objects import ClusterObject, Wishes

RulesAs = Literal["operator", "configmap", "none"]

_EPILOG = """\b
Examples:
  sereno compile --format operator --only rules --only dashboards --out compiled
  sereno kubernetes apply compiled --rule-label release=kube-prometheus-stack --prune
      within a pod, with the token of its service account (the chart helm/sereno does it so)
  sereno kubernetes apply compiled --server https://10.0.0.1:6443 --token-file token --ca-file ca.crt \\
      --namespace monitoring --dry-run
      what would the cluster take?
"""


@dataclass(frozen=True, slots=True)
class Part:
    """Rules, or dashboards: the objects, and where they go."""

    name: str
    namespace: str
    objects: "tuple[ClusterObject, ...]"


@dataclass(frozen=True, slots=True)
class Order:
    """What is done with the parts."""

    release: str
    owner: str | None
    prunes: bool
    is_dry: bool


def _label(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:  # noqa: ARG001
    from sereno_cli.cluster_objects import label

    try:
        return dict(map(label, given))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(epilog=_EPILOG)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER")
@click.option(
    "--rules",
    "rules_as",
    type=click.Choice(["operator", "configmap", "none"]),
    default="operator",
    show_default=True,
    help="PrometheusRule objects, ConfigMaps, or no rules.",
)
@click.option("--dashboards/--no-dashboards", default=True, show_default=True, help="ConfigMaps for Grafana's sidecar.")
@click.option("--namespace", metavar="NAME", help="Where objects go [the pod's own].")
@click.option("--rules-namespace", metavar="NAME", help="Where rules go [--namespace].")
@click.option("--dashboards-namespace", metavar="NAME", help="Where dashboards go [--namespace].")
@click.option("--release", default="sereno", show_default=True, metavar="NAME", help="Whose objects they are.")
@click.option("--rule-label", "rule_labels", multiple=True, callback=_label, metavar="NAME=VALUE", help="On rules.")
@click.option(
    "--dashboard-label",
    "dashboard_labels",
    multiple=True,
    callback=_label,
    metavar="NAME=VALUE",
    help="On dashboards  [grafana_dashboard=1].",
)
@click.option("--owner", metavar="CONFIGMAP", help="When this ConfigMap of --namespace goes, so do the objects there.")
@click.option("--prune", is_flag=True, help="Remove the release's objects that the folder no longer has.")
@click.option("--dry-run", is_flag=True, help="Let the cluster say whether it would take them; change nothing.")
@click.option("--server", metavar="URL", help="The cluster's API [the pod's own].")
@click.option("--token-file", type=click.Path(path_type=Path), help="A file with the bearer token for --server.")
@click.option("--ca-file", type=click.Path(path_type=Path), help="Certificates to trust instead of the system's.")
def command(  # noqa: PLR0917 - click passes them by name
    folder: Path,
    rules_as: RulesAs,
    dashboards: bool,
    namespace: str | None,
    rules_namespace: str | None,
    dashboards_namespace: str | None,
    release: str,
    rule_labels: dict[str, str],
    dashboard_labels: dict[str, str],
    owner: str | None,
    prune: bool,
    dry_run: bool,
    server: str | None,
    token_file: Path | None,
    ca_file: Path | None,
) -> ExitCode:
    """Bring what `sereno compile --format operator --out FOLDER` wrote into a cluster, by server-side apply.

    A second run changes nothing. Fields that somebody else owns are not taken over, and only objects that carry the
    release's labels are ever removed. What the token needs: patch and create of what is written; list and delete with
    --prune; get of the ConfigMap with --owner.

    Exit codes: 1 when the cluster takes an object not, 2 the folder or an argument is wrong, 3 when the cluster can't
    be reached.
    """
    from sereno_backends.kubernetes import AccessInvalid, Kind, KubernetesClient

    from sereno_cli.cluster_objects import FolderUnusable, Wishes

    kind = Kind.CONFIG_MAP if rules_as == "configmap" else Kind.PROMETHEUS_RULE
    wishes = Wishes(release, kind, rule_labels, dashboard_labels or {"grafana_dashboard": "1"})
    try:
        access, own = _access(server, token_file, ca_file, namespace)
        home = namespace or own
        parts = _parts(
            folder,
            wishes,
            None if rules_as == "none" else rules_namespace or home,
            dashboards_namespace or home if dashboards else None,
        )
        with KubernetesClient(access) as client:
            return _bring(client, parts, home, Order(release, owner, prune, dry_run))
    except (AccessInvalid, FolderUnusable) as error:
        click.echo(f"sereno kubernetes apply: {error}", err=True)
        return ExitCode.INVALID_INPUT


def _parts(folder: Path, wishes: "Wishes", rules_in: str | None, dashboards_in: str | None) -> tuple[Part, ...]:
    """What is wanted; all of it is made before anything is sent."""
    from sereno_cli.cluster_objects import dashboard_objects, rule_objects

    rules = () if rules_in is None else (Part("rules", rules_in, tuple(rule_objects(folder, wishes))),)
    boards = (
        () if dashboards_in is None else (Part("dashboards", dashboards_in, tuple(dashboard_objects(folder, wishes))),)
    )
    return (*rules, *boards)


def _access(
    server: str | None, token_file: Path | None, ca_file: Path | None, namespace: str | None
) -> "tuple[Access, str]":
    """The pod's own access, or the one that was named."""
    from sereno_backends.kubernetes import Access, AccessInvalid, access_of_this_pod

    if server is None:
        return access_of_this_pod(os.environ)
    if token_file is None or namespace is None:
        raise AccessInvalid("--server needs --token-file and --namespace")
    try:
        token = token_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AccessInvalid(f"{token_file} can't be read: {getattr(error, 'strerror', None) or 'no text'}") from error
    return Access(server, token, str(ca_file) if ca_file else None), namespace


def _bring(client: "KubernetesClient", parts: Sequence[Part], home: str, order: Order) -> ExitCode:
    """All objects; one that is refused doesn't hold up the others, but nothing is removed then."""
    from sereno_backends.kubernetes import ClusterRefused, ClusterUnreachable, Kind

    try:
        uid = None if order.owner is None else client.uid(Kind.CONFIG_MAP, home, order.owner)
        refused = 0
        for part in parts:
            # An owner of another namespace would make the cluster remove the object at once.
            owner = (order.owner, uid) if order.owner and uid and part.namespace == home else None
            refused += _apply(client, part, owner, order)
        if refused:
            return ExitCode.ANSWER_IS_NO
        if order.prunes and not order.is_dry:
            for part in parts:
                _prune(client, part, order.release)
    except ClusterRefused as error:
        click.echo(f"sereno kubernetes apply: {error}", err=True)
        return ExitCode.ANSWER_IS_NO
    except ClusterUnreachable as error:
        click.echo(f"sereno kubernetes apply: {error}; it can be run again", err=True)
        return ExitCode.UNREACHABLE
    return ExitCode.OK


def _apply(client: "KubernetesClient", part: Part, owner: tuple[str, str] | None, order: Order) -> int:
    """How many were refused; each is told."""
    from sereno_backends.kubernetes import ClusterRefused

    refused = 0
    for one in part.objects:
        document = dict(one.document)
        if owner is not None:
            name, uid = owner
            reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid}
            document["metadata"] = {**document["metadata"], "ownerReferences": [reference]}
        try:
            client.apply(one.kind, part.namespace, document, is_dry=order.is_dry)
        except ClusterRefused as error:
            refused += 1
            click.echo(f"sereno kubernetes apply: {part.namespace}/{one.name}: {error}", err=True)
    verb = "would be taken" if order.is_dry else "applied"
    click.echo(f"{part.name}: {len(part.objects) - refused} of {len(part.objects)} {verb} in {part.namespace}")
    return refused


def _prune(client: "KubernetesClient", part: Part, release: str) -> None:
    from sereno_cli.cluster_objects import marks

    kinds = {one.kind for one in part.objects}
    for kind in kinds:
        wanted = {one.name for one in part.objects}
        for name in client.names(kind, part.namespace, marks(release, part.name)):
            if name not in wanted:
                client.remove(kind, part.namespace, name)
                click.echo(f"{part.name}: {name} removed, as no spec gives it any more")
