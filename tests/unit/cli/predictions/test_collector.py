"""The way to the collector: whose token, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes import client

from slipway.cli.cluster import Access, Cluster
from slipway.cli.errors import CliError
from slipway.cli.predictions import collector as way_there
from slipway.cli.predictions.collector import Given, place, reached
from tests.unit.cli.predictions.stand_in import Answer, Asked, collector


def cluster(token: str = "", found: dict[str, Any] | None = None) -> Cluster:
    """With a token of the kubeconfig, and the platform's ConfigMap."""
    settings = client.Configuration()
    settings.api_key = {"BearerToken": f"Bearer {token}"} if token else {}
    made = Cluster(client.ApiClient(settings), "growth")
    object.__setattr__(made, "get", lambda _: found)
    return made


def given(url: str | None, token: str | None = None) -> Given:
    return Given(Access(), token, url)


def test_the_kubeconfigs_token_is_sent_and_a_given_one_wins() -> None:
    with collector(lambda _: (200, {"predictions": []})) as stand_in:
        for token in (None, "other"):
            with reached(given(stand_in.url + "/", token), cluster("mine")) as way:
                way.prediction("growth", "churn", "a b/c?")
    assert [asked.headers["authorization"] for asked in stand_in.asked] == ["Bearer mine", "Bearer other"]
    assert stand_in.asked[0].path == "/v1/predictions/a%20b%2Fc%3F?namespace=growth&deployment=churn"


def test_a_token_of_an_exec_plugin_is_fetched_anew() -> None:
    made = cluster()
    settings: Any = made.client.configuration
    settings.refresh_api_key_hook = lambda config: config.api_key.update(authorization="Bearer fresh")
    assert made.token == "fresh"


def test_with_a_certificate_alone_it_says_how_to_get_a_token() -> None:
    with pytest.raises(CliError, match=r"kubectl create token NAME -n growth"), reached(given("http://127.0.0.1:1"), cluster()):
        pass


def test_a_platform_without_a_log() -> None:
    with pytest.raises(CliError, match=r"predictionLog\.enabled=false"):
        place(cluster("mine", None))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, r"the collector does not know you \(no\): log in again"),
        (403, "no: ask whoever administers the namespace"),
        (400, "^no$"),
        (503, "is behind or cannot reach its store"),
    ],
)
def test_refusals(status: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way_there, "ATTEMPTS", 1)
    with (
        collector(lambda _: (status, {"error": "no"})) as stand_in,
        reached(given(stand_in.url), cluster("mine")) as way,
        pytest.raises(CliError, match=said),
    ):
        way.ask("POST", "/v1/erasures", body={})


def test_one_that_is_behind_is_asked_again() -> None:
    answers: Iterator[Answer] = iter([(429, {"error": "later"}), (503, {"error": "later"}), (200, {"accepted": 1})])

    def answer(_: Asked) -> Answer:
        return next(answers)

    with collector(answer) as stand_in, reached(given(stand_in.url), cluster("mine")) as way:
        assert way.ask("POST", "/v1/actuals", body={"rows": []}) == {"accepted": 1}
    assert [asked.body for asked in stand_in.asked] == [{"rows": []}] * 3


def test_nobody_there() -> None:
    with reached(given("http://127.0.0.1:1"), cluster("mine")) as way:
        object.__setattr__(way, "pool", SimpleNamespace(request=_refused))
        with pytest.raises(CliError, match="does not answer"):
            way.ask("GET", "/")


def _refused(*_: Any, **__: Any) -> None:
    import urllib3

    raise urllib3.exceptions.HTTPError("refused")
