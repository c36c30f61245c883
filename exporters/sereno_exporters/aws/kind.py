"""The AWS exporter as the frame knows it."""

from sereno_exporters.aws import families
from sereno_exporters.aws.settings import AwsSettings
from sereno_exporters.frame.model import ExporterKind, Source, Target


def _connect(target: Target[AwsSettings]) -> Source:
    from sereno_exporters.aws.source import source_of  # noqa: PLC0415 - sqlite3 comes with it

    return source_of(target)


KIND = ExporterKind(
    name="aws",
    summary="Lambda, SNS and Aurora, out of CloudWatch; calls are counted and capped",
    settings=AwsSettings,
    connect=_connect,
    families=families.ALL,
)
