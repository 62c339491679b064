"""Who creates an object is part of it. Where the apiserver does not fill that in, the plugin writes it (docs/audit.md)."""

from __future__ import annotations

from slipway.api.requested_by import ANNOTATION, Stamp
from slipway.cli.cluster import ApiError, Cluster, Json, path

REFUSAL = f"slipway: the annotation {ANNOTATION} must"
"""How the policy's message begins: the chart's admission/requested-by.yaml."""


def checked(cluster: Cluster, url: str, body: Json) -> Json:
    """The new object as the apiserver will take it, by a dry run; with the user's name in it only where that is asked for."""
    try:
        cluster.create(url, body, dry_run=True)
    except ApiError as error:
        if REFUSAL not in str(error):
            raise
    else:
        return body
    stamped = body | {"metadata": body["metadata"] | {"annotations": {ANNOTATION: Stamp(1, (str(whoami(cluster)["username"]),)).text()}}}
    cluster.create(url, stamped, dry_run=True)
    return stamped


def whoami(cluster: Cluster) -> Json:
    """The user and its groups, as the apiserver sees them."""
    api, kind = "authentication.k8s.io/v1", "SelfSubjectReview"
    answer = cluster.request("POST", path(api, "selfsubjectreviews"), body={"apiVersion": api, "kind": kind})
    found: Json = answer["status"]["userInfo"]
    return found
