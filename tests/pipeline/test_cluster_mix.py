"""mixes/cluster.yaml is a mix that runs once its sources are where it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import InputError
from pipeline.load import load_mix
from tests.pipeline.s3_server import s3_server

ROOT = Path(__file__).parents[2]


def test_the_clusters_mix_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    monkeypatch.chdir(ROOT)
    rows = pl.DataFrame({"id": ["a"], "text": ["some text"], "repository": ["r"], "license": ["MIT"]})
    with s3_server() as server:
        assert server.bucket("my-bucket") == "s3://my-bucket"
        put = boto3.client("s3").put_object
        for name in ("wikipedia", "code", "papers"):
            put(Bucket="my-bucket", Key=f"raw/{name}/0.parquet", Body=parquet(rows))
        put(Bucket="my-bucket", Key="raw/web/0.jsonl.zst", Body=b"")
        config = load_mix(Path("mixes/cluster.yaml")).config
    assert config.proxy.device == "cuda"
    assert config.resources["score"].gpus == 0.5


def test_sources_that_cannot_be_listed_are_named(
    tiny_yaml: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key, say: a message, no traceback."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    path = tiny_yaml()
    path.write_text(re.sub(r'path: "[^"]*/ocr.parquet"', 'path: "s3://no-such-bucket/x.parquet"', path.read_text()))
    with pytest.raises(InputError, match=r"tiny.yaml:\d+: .*cannot list `s3://no-such-bucket/x.parquet`: \w+Error: "):
        load_mix(path)


def parquet(rows: pl.DataFrame) -> bytes:
    import io

    out = io.BytesIO()
    rows.write_parquet(out)
    return out.getvalue()
