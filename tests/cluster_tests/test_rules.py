"""Only the rules of kubelet, kube-proxy and the network plugins are taken back."""

from __future__ import annotations

import pytest

from tests.cluster import network

MINE = """*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE
COMMIT
"""
THEIRS = """*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-SERVICES - [0:0]
:CNI-3a1b - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE
-A POSTROUTING -s 10.244.0.12/32 -m comment --comment "name: slipway" -j CNI-3a1b
-A KUBE-SERVICES -d 10.96.0.1/32 -j RETURN
COMMIT
"""


def test_rules_of_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    restored: list[str] = []

    def run(*command: str, content: str | None = None) -> str:
        if command[0] == "iptables-restore":
            restored.append(content or "")
        return {"iptables-save": THEIRS, "ip6tables-save": MINE}.get(command[0], "")

    monkeypatch.setattr(network, "_run", run)
    network.delete_rules()
    assert restored == [MINE]
