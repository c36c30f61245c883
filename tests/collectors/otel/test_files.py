"""What can be told about collectors/otel without running it."""

import re
from typing import Any

import yaml
from support.slo_specs import REPOSITORY

FOLDER = REPOSITORY / "collectors/otel"
COLLECTOR = yaml.safe_load((FOLDER / "collector.yaml").read_text("utf-8"))
KUBERNETES = list(yaml.safe_load_all((FOLDER / "filebeat-kubernetes.yaml").read_text("utf-8")))


def _filebeat() -> Any:
    (config,) = (one for one in KUBERNETES if one["kind"] == "ConfigMap")
    return yaml.safe_load(config["data"]["filebeat.yml"])


def test_nothing_is_dropped_by_configuration() -> None:
    """Every queue of the Collector is on disk and blocks when it is full, and it tries for ever."""
    elasticsearch = COLLECTOR["exporters"]["elasticsearch"]
    queue = elasticsearch["sending_queue"]
    assert (queue["storage"], queue["block_on_overflow"]) == ("file_storage", True)
    assert COLLECTOR["extensions"]["file_storage"]["fsync"] is True
    assert COLLECTOR["receivers"]["filelog"]["retry_on_failure"] == {"enabled": True, "max_elapsed_time": 0}
    assert set(elasticsearch["retry"]["retry_on_status"]) >= {429, 503}
    assert elasticsearch["logs_dynamic_id"]["enabled"] is True


def test_every_part_that_is_used_is_built() -> None:
    """builder.yaml names a module for each component of collector.yaml."""
    modules = (FOLDER / "builder.yaml").read_text("utf-8")
    for kind in ("receivers", "processors", "exporters", "extensions"):
        for name in COLLECTOR[kind]:
            part = name.partition("/")[0].replace("_", "")
            assert re.search(rf"/{part}(receiver|processor|exporter)? v", modules), name


def test_filebeat_gives_the_same_ids_and_streams() -> None:
    """Filebeat hashes the whole line before it is taken apart, and names the streams as Sereno does."""
    filebeat = _filebeat()
    kinds = [next(iter(one)) for one in filebeat["processors"]]
    assert kinds.index("fingerprint") < kinds.index("decode_json_fields")
    fingerprint = filebeat["processors"][kinds.index("fingerprint")]["fingerprint"]
    assert (fingerprint["fields"], fingerprint["method"]) == (["message"], "sha256")
    assert fingerprint["target_field"] == "@metadata._id"
    assert filebeat["output.elasticsearch"]["index"].startswith("logs-%{[event.dataset]}-")
    assert filebeat["output.elasticsearch"]["max_retries"] == -1


def test_filebeat_knows_files_by_their_beginning() -> None:
    """The identity by fingerprint needs the scanner's, which is off in Filebeat 8; short files are read, too."""
    (provider,) = _filebeat()["filebeat.autodiscover"]["providers"]
    found = provider["hints.default_config"]
    assert "file_identity.fingerprint" in found
    assert found["prospector.scanner"] == {"symlinks": True, "fingerprint": {"enabled": True, "length": 64}}


def test_the_manifest_is_whole() -> None:
    """The DaemonSet mounts what its configuration reads, and its account may ask what autodiscovery asks."""
    by_kind = {one["kind"]: one for one in KUBERNETES}
    pod = by_kind["DaemonSet"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    given = {variable["name"] for variable in container["env"]}
    text = by_kind["ConfigMap"]["data"]["filebeat.yml"]
    asked = set(re.findall(r"\$\{([A-Z_]+)(?::[^}]*)?\}", text))
    assert asked <= given
    subjects = by_kind["ClusterRoleBinding"]["subjects"]
    assert [one["name"] for one in subjects] == [pod["serviceAccountName"]]
