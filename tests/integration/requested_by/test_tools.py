"""Clients that know nothing of the stamp work as ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.api.requested_by import ANNOTATION, Stamp
from slipway.plan.requesters import Requesters, requesters
from tests.cluster.kubectl import kubectl
from tests.integration.people import APPLY, JSON_PATCH
from tests.integration.requested_by.thing import FILLED, Thing, landed


class TestTools:
    """Clients that know nothing of the stamp work as ever."""

    def test_kubectl(self, thing: Thing, tmp_path: Path) -> None:
        file = tmp_path / "churn.json"
        config = thing.plane.kubeconfig

        def run(who: str, *command: str) -> None:
            kubectl(config, *command, f"--as={who}", "--as-group=system:masters", f"--namespace={FILLED}")

        file.write_text(json.dumps(thing.manifest()))
        run("alice", "create", "--save-config", f"--filename={file}")
        run("bob", "apply", f"--filename={file}")
        assert thing.stamp == Stamp(1, ("alice",))
        file.write_text(json.dumps(thing.manifest(replicas=2)))
        run("bob", "apply", f"--filename={file}")
        run("carol", "replace", f"--filename={file}")
        run("carol", "annotate", "modeldeployment", thing.name, "note=checked")
        run("dora", "apply", "--server-side", "--force-conflicts", "--field-manager=dora", f"--filename={file}")
        assert thing.stamp == Stamp(2, ("alice", "bob"))

    def test_server_side_apply_by_two_people(self, thing: Thing) -> None:
        landed(thing.apply("alice"))
        landed(thing.apply("alice"))
        landed(thing.apply("bob", replicas=2))
        landed(thing.apply("alice", replicas=2))
        assert thing.stamp == Stamp(2, ("alice", "bob"))

    def test_a_gitops_tool_that_syncs_again_and_again(self, thing: Thing) -> None:
        tool = "system:serviceaccount:argocd:argocd-application-controller"
        tracking = {"argocd.argoproj.io/tracking-id": f"shop:slipway.dev/ModelDeployment:{FILLED}/{thing.name}"}

        def sync(commit: str, replicas: int) -> None:
            manifest = thing.manifest(replicas=replicas)
            manifest["metadata"]["annotations"] = tracking | {"slipway.dev/commit": commit}
            landed(thing.person(tool).send("PATCH", f"{thing.path}?fieldManager=argocd-controller&force=true", manifest, APPLY))

        sync("0123abc", 1)
        sync("4567def", 1)
        assert thing.stamp == Stamp(1, (tool,))
        thing.observe()
        sync("89abcde", 2)
        assert requesters(thing.read()) == Requesters((tool,), commit="89abcde", tool="argocd shop")

    def test_json_patch(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        landed(thing.patch("bob", [{"op": "replace", "path": "/spec/replicas", "value": 2}], JSON_PATCH))
        assert thing.stamp == Stamp(2, ("alice", "bob"))

    def test_read_and_write_back(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        whole = thing.read()
        whole["spec"]["replicas"] = 2
        landed(thing.person("bob").send("PUT", thing.path, whole))
        assert thing.stamp == Stamp(2, ("alice", "bob"))

    @pytest.mark.parametrize("annotations", [None, {}, {"mine": "kept"}])
    def test_what_a_client_leaves_out_is_put_back(self, thing: Thing, annotations: dict[str, str] | None) -> None:
        landed(thing.create("alice"))
        for replicas, expected in [(1, Stamp(1, ("alice",))), (2, Stamp(2, ("alice", "bob")))]:
            whole = thing.read()
            whole["metadata"]["annotations"] = annotations
            whole["spec"]["replicas"] = replicas
            landed(thing.person("bob").send("PUT", thing.path, whole))
            assert thing.stamp == expected
            assert thing.read()["metadata"]["annotations"] == {**(annotations or {}), ANNOTATION: expected.text()}

    def test_what_a_client_takes_away_is_put_back(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        landed(thing.patch("bob", {"metadata": {"annotations": {ANNOTATION: None}}}))
        landed(thing.patch("bob", [{"op": "remove", "path": f"/metadata/annotations/{ANNOTATION.replace('/', '~1')}"}], JSON_PATCH))
        landed(thing.patch("bob", {"metadata": {"annotations": {ANNOTATION: ""}}}))
        assert thing.stamp == Stamp(1, ("alice",))

    def test_what_is_right_may_be_said(self, thing: Thing) -> None:
        landed(thing.create("alice", Stamp(1, ("alice",)).text()))
        landed(thing.change("bob", 2, Stamp(2, ("alice", "bob")).text()))
        assert thing.stamp == Stamp(2, ("alice", "bob"))
