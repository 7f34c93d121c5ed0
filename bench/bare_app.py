"""The least that a Chalice app over S3 and DynamoDB can be: what `bench.cold_start` compares the functions with."""

from __future__ import annotations

import os

import boto3
from chalice.app import Chalice, Response

app = Chalice(app_name="bare")
s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")


@app.route("/v1/reports/{report}")
def read(report: str) -> Response:
    """One entry of the table and one object, as the API's answer of a record takes."""
    key = {"pk": {"S": os.environ["BARE_PK"]}, "sk": {"S": os.environ["BARE_SK"]}}
    item = dynamodb.get_item(TableName=os.environ["REPORTS_TABLE"], Key=key, ConsistentRead=True)["Item"]
    body = s3.get_object(Bucket=os.environ["REPORTS_BUCKET"], Key=os.environ["BARE_KEY"])["Body"].read()
    return Response(body.decode(), {"Content-Type": "application/json", "X-Entry": f"{report} {item['pk']['S']}"})
