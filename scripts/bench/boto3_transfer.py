"""Moves a state to or from a bucket with boto3, as tests/s3/transfer.ts does.

    boto3_transfer.py put|get URL KEY MIB

Parts and their number at a time are those of the store. Prints JSON.
"""

import json
import os
import resource
import sys

import boto3
from boto3.s3.transfer import TransferConfig

MIB = 1024 * 1024


class State:
    """A stream of that many bytes."""

    def __init__(self, size):
        self.left = size
        self.block = bytes((i * 31 + (i >> 8)) & 0xFF for i in range(MIB))

    def read(self, amount=-1):
        count = self.left if amount < 0 else min(amount, self.left)
        self.left -= count
        whole, rest = divmod(count, MIB)
        return self.block * whole + self.block[:rest]


class Sink:
    """Takes bytes and forgets them; parts may come in any order."""

    def write(self, data):
        return len(data)


what, endpoint, key, mib = sys.argv[1:]
config = TransferConfig(
    multipart_chunksize=8 * MIB, multipart_threshold=8 * MIB, max_concurrency=2
)
s3 = boto3.client(
    "s3",
    endpoint_url=endpoint,
    aws_access_key_id="key",
    aws_secret_access_key="secret",
    region_name="us-east-1",
)
if what == "put":
    s3.upload_fileobj(State(int(mib) * MIB), "bucket", key, Config=config)
else:
    s3.download_fileobj("bucket", key, Sink(), Config=config)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "peakMiB": usage.ru_maxrss / 1024,
            "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000,
        }
    )
)
