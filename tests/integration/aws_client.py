"""Clients of a daemon's AWS APIs. Apart from weir_harness.py: only these tests need boto3."""
import boto3
import botocore.config

REGION = "us-east-1"
# Any key will do at an endpoint on loopback. As an environment has them.
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


def client(service, url, key=KEYS["AWS_ACCESS_KEY_ID"], secret=KEYS["AWS_SECRET_ACCESS_KEY"],
           token=None, **config):
    """`config`: of botocore."""
    return boto3.client(service, endpoint_url=url, region_name=REGION, aws_access_key_id=key,
                        aws_secret_access_key=secret, aws_session_token=token,
                        config=botocore.config.Config(**config))
