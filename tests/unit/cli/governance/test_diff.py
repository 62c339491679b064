"""`diff`: what is read of the cluster, and what is shown of it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from slipway.cli.errors import CliError
from slipway.cli.governance import asked, compare
from slipway.cli.governance.asked import Asked
from slipway.cli.options import Format
from slipway.cli.output import as_text, console
from slipway.plan.revision import revision_of
from tests.unit.cli.governance.samples import (
    EVIL,
    Fake,
    approved,
    cluster,
    content,
    deployment,
    holding,
    version,
    waiting,
)

THREE = content(deployment("3"), version("3"))
FIRST = approved(1, THREE)
APPROVED = FIRST["data"]["revision"]


def shown(found: Asked) -> str:
    stream = io.StringIO()
    console(stream).print(compare.render(found))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def upgrade(**approval: Any) -> Fake:
    """Version 4 waits, version 3 is approved."""
    old = version("3", lineage={"metrics": {"auc": "0.91"}})
    new = version("4", lineage={"metrics": {"auc": "0.93"}})
    change = deployment("4", resources={"limits": {"memory": "2Gi"}})
    revision = revision_of("d", 2, content(change, new))
    return holding(waiting(change, revision, APPROVED, **approval), old, new, revisions=(FIRST,))


def test_an_upgrade() -> None:
    found = asked.read(cluster(upgrade()), "churn")
    assert found.is_proved
    assert (
        shown(found)
        == f"""\
ModelDeployment churn in namespace growth  Waiting  version 3 → 4
revision {found.revision}

FIELD                    APPROVED                                                                 ASKED FOR
version                  3                                                                        4
artifact.uri             s3://models/churn/3/                                                     s3://models/churn/4/
artifact.digest          sha256:{"3" * 64}  sha256:{"4" * 64}
resources.limits.memory  -                                                                        2Gi

METRIC  VERSION 3  VERSION 4  DIFFERENCE
auc     0.91       0.93       +0.02

This is all: the revision's name follows from these fields, and from the platform as it was approved.
missing: needs 1 approval (has 0)
requested by: alice
policies: production

To approve it: kubectl slipway approve churn -n growth --as ROLE --revision {found.revision}
"""
    )


def test_for_programs() -> None:
    data = json.loads(as_text(compare.as_data(asked.read(cluster(upgrade()), "churn")), Format.JSON))
    assert (data["approvedRevision"], data["state"], data["unchanged"], data["proved"]) == (APPROVED, "Waiting", False, True)
    assert data["changes"][0] == {"field": "version", "approved": "3", "asked": "4"}
    assert data["metrics"] == [{"name": "auc", "approved": "0.91", "asked": "0.93"}]
    assert data["platform"]["runtime"]["image"] == "registry.example/sklearn:1"
    assert data["approve"].endswith(f"--as ROLE --revision {data['revision']}")


def test_another_platform_is_told() -> None:
    fake = upgrade()
    change = next(item for item in fake.objects.values() if "status" in item)
    change["status"]["revision"] = "v1:" + "0" * 64
    found = asked.read(cluster(fake), "churn")
    assert not found.is_proved
    assert "The platform's image is chosen when it starts: beside these fields" in shown(found)


def test_the_first_revision_is_all_new() -> None:
    new = version("4")
    fake = holding(waiting(deployment("4"), "v1:" + "0" * 64), new)
    found = asked.read(cluster(fake), "churn")
    text = shown(found)
    assert "version 4; nothing was approved before, so everything is new" in text
    assert "APPROVED" not in text
    assert "The platform's image is chosen when it starts, and is part of the revision." in text


def test_nothing_would_change() -> None:
    fake = holding(waiting(deployment("3"), APPROVED, APPROVED, state="Approved", message=""), version("3"), revisions=(FIRST,))
    found = asked.read(cluster(fake), "churn")
    assert shown(found).count("\n") == 1
    assert "nothing would change" in shown(found)
    assert compare.as_data(found)["unchanged"] is True


def test_rejected_says_why_and_shows_no_way_to_approve_it() -> None:
    text = shown(asked.read(cluster(upgrade(state="Rejected", message="rejected by bob as risk: no")), "churn"))
    assert text.endswith("rejected by bob as risk: no\n")
    assert "To approve it" not in text


def test_retiring() -> None:
    change = deployment("3", retire=True)
    fake = holding(waiting(change, "v1:" + "0" * 64, APPROVED), version("3"), revisions=(FIRST,))
    assert "to be retired: it stops serving for good" in shown(asked.read(cluster(fake), "churn"))


def test_other_peoples_controller_revisions_count_for_nothing() -> None:
    fake = upgrade()
    (written,) = (found for found in fake.objects.values() if isinstance(found, list))
    written.insert(0, approved(9, content(deployment("4"), version("4"))))
    written.insert(0, approved(8, THREE, uid="another"))
    assert asked.read(cluster(fake), "churn").newest is not None
    assert "version 3 → 4" in shown(asked.read(cluster(fake), "churn"))


def test_an_altered_controller_revision_is_told() -> None:
    fake = upgrade()
    (written,) = (found for found in fake.objects.values() if isinstance(found, list))
    written[0]["data"]["content"]["deployment"]["version"] = "4"
    with pytest.raises(CliError, match=r"ControllerRevision churn-1 does not hold .* altered"):
        asked.read(cluster(fake), "churn")
    written.clear()
    with pytest.raises(CliError, match="not among the ControllerRevisions"):
        asked.read(cluster(fake), "churn")


def test_an_approved_version_that_was_made_anew_has_no_metrics_to_compare_with() -> None:
    fake = upgrade()
    fake.objects = {
        url: item | {"metadata": item["metadata"] | {"uid": "new"}} if "churn-3" in url else item for url, item in fake.objects.items()
    }
    assert asked.read(cluster(fake), "churn").approved_version is None


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ({"revision": ""}, "no ApprovalPolicy governs churn in namespace growth"),
        ({"observedGeneration": 1}, "the operator has not looked at the latest change of churn yet"),
        ({"conditions": [{"type": "Stalled", "status": "True", "reason": "VersionMissing", "message": "push it"}]}, "yet: push it"),
    ],
)
def test_what_cannot_be_compared(status: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "PATIENCE", 0)
    change = deployment("3")
    change["status"] |= status
    with pytest.raises(CliError, match=message):
        asked.read(cluster(holding(change, version("3"))), "churn")


def test_what_is_missing_is_named() -> None:
    with pytest.raises(CliError, match="no ModelDeployment other in namespace growth"):
        asked.read(cluster(upgrade()), "other")
    with pytest.raises(CliError, match="ModelVersion churn-3, which churn asks for, is not in namespace growth"):
        asked.read(cluster(holding(waiting(deployment("3"), "v1:x"))), "churn")
    with pytest.raises(CliError, match="install the plugin of its version"):
        asked.read(cluster(holding(waiting(deployment("3", unheard=1), "v1:x"), version("3"))), "churn")


def test_hostile_words_are_shown_and_never_interpreted() -> None:
    change = deployment("4", pod={"env": [{"name": "A", "value": EVIL}]})
    fake = holding(
        waiting(change, "v1:x", APPROVED, message=EVIL, requestedBy=[EVIL], policies=[EVIL], granted=[{"by": EVIL, "role": EVIL}]),
        version("3"),
        version("4"),
        revisions=(FIRST,),
    )
    text = shown(asked.read(cluster(fake), "churn"))
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert text.count("[bold]b[/] :smile:") >= 5
