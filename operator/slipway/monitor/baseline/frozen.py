"""Profiles of reference rows, made once: so every run compares with the same numbers, and none reads the rows again for them."""

from __future__ import annotations

import logging

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore

from slipway.monitor.stats.profile import Profile

log = logging.getLogger(__name__)


def path_of(deployment: str, digest: str) -> str:
    """Below the log's URI; `deployment` is `NAMESPACE/DEPLOYMENT`."""
    return f"{deployment}/monitors/baselines/{digest.replace(':', '-')}.json"


def kept(store: ObjectStore, path: str) -> Profile | None:
    """The frozen profile; None if there is none that this release reads."""
    try:
        return Profile.from_json(obstore.get(store, path).bytes().to_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        log.warning("%s is no profile of this release, and is made anew: %s", path, str(error).splitlines()[0])
        return None


def freeze(store: ObjectStore, path: str, profile: Profile) -> Profile:
    """Keeps the profile, unless another run has kept one meanwhile: then that one holds."""
    body = profile.to_json().encode()
    try:
        obstore.put(store, path, body, mode="create")
    except AlreadyExistsError:
        if known := kept(store, path):
            return known
        obstore.put(store, path, body)
    return profile
