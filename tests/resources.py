"""The bucket and the table as the deployment template defines them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from deploy.template import build_template

if TYPE_CHECKING:
    import boto3

# What CreateTable takes under the same name; backups and deletion protection are no matter of tests.
_OF_A_TABLE = {"AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes"}


@cache
def properties(resource: str) -> dict[str, Any]:
    """The properties of a resource of the template by its name there."""
    found: dict[str, Any] = build_template("dev")["Resources"][resource]["Properties"]
    return found


def create_resources(session: boto3.Session, bucket: str, table: str) -> None:
    """A bucket and a table of these names in the session's region: the bucket versioned, the table keyed, as deployed."""
    s3, dynamodb = session.client("s3"), session.client("dynamodb")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})  # type: ignore[typeddict-item]
    s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration=properties("ReportsBucket")["VersioningConfiguration"]
    )
    defined = {name: value for name, value in properties("ReportsTable").items() if name in _OF_A_TABLE}
    dynamodb.create_table(TableName=table, **defined)
