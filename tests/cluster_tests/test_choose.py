"""Which cluster is used, and that nobody's own kubeconfig is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cluster import choose as choosing
from tests.cluster import commands, kind
from tests.cluster.choose import VARIABLE, choose
from tests.cluster.config import TEMPLATES
from tests.cluster.errors import ClusterError
from tests.cluster.state import Mode


def test_a_named_kubeconfig_wins_over_everything() -> None:
    assert choose({VARIABLE: "/some/where"}, engine=lambda: True) is Mode.GIVEN


def test_kind_is_used_where_an_engine_answers_else_the_bare_machine() -> None:
    assert choose({}, engine=lambda: True) is Mode.KIND
    assert choose({VARIABLE: ""}, engine=lambda: False) is Mode.BARE


def test_a_docker_command_without_an_engine_is_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, script in (("docker", "exit 1"), ("kind", "exit 0")):
        tmp_path.joinpath(name).write_text(f"#!/bin/sh\n{script}\n")
        tmp_path.joinpath(name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not choosing.docker_answers()
    tmp_path.joinpath("docker").write_text("#!/bin/sh\nexit 0\n")
    assert choosing.docker_answers()


def test_a_given_kubeconfig_is_copied_and_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, copy = tmp_path / "mine", tmp_path / "copy"
    given.write_text("content")
    monkeypatch.setattr(commands, "KUBECONFIG", copy)
    monkeypatch.setattr(commands, "kubectl", lambda *arguments: "ok")
    commands.use_given(given)
    assert copy.read_text() == given.read_text() == "content"
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_given_kubeconfig_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="no file"):
        commands.use_given(tmp_path / "absent")


def test_the_kind_configuration_parses_and_its_mounts_exist() -> None:
    configuration = yaml.safe_load(kind.configuration())
    (node,) = configuration["nodes"]
    (patch,) = (yaml.safe_load(text) for text in node["kubeadmConfigPatches"])
    mounts = {mount["containerPath"]: mount["hostPath"] for mount in node["extraMounts"]}
    assert configuration["name"] == kind.NAME
    assert mounts[patch["apiServer"]["extraArgs"]["audit-policy-file"]] == str(TEMPLATES / "audit-policy.yaml")
    assert {volume["hostPath"] for volume in patch["apiServer"]["extraVolumes"]} == set(mounts)
