"""The engines themselves: they start, answer, verify signatures and end."""

from __future__ import annotations

import pytest
import requests

from chalicelib.storage import Entry, Put
from tests import engines

pytestmark = [pytest.mark.engines, pytest.mark.skipif(bool(engines.missing()), reason=engines.missing())]


def test_both_engines_store_and_verify_and_end() -> None:
    with engines.running() as started, started.storage("smoke") as storage:
        storage.objects.put("raw/镇", b"body")
        storage.index.commit([Put("p", "s", b"1"), Put("p", "t", b"2", 0)])
        assert storage.index.get("p", "s") == Entry("p", "s", b"1", 1)
        address = storage.objects.download_address("raw/镇", 60, "x", "text/plain")
        assert requests.get(address).content == b"body"
        assert requests.get(address.replace("Signature=", "Signature=0")).status_code == 403
    for url in (started.dynamodb, started.s3):
        with pytest.raises(requests.ConnectionError):
            requests.get(url)
