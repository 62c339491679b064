from __future__ import annotations

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.wheels import locked

LOCK = """\
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
numpy==2.5.5 ; python_full_version == '3.12.*' \\
    --hash=sha256:cc
attrs==26.1.0 \\
    --hash=sha256:dd
"""


def test_the_needed_pins_keep_their_hashes_and_lose_their_markers() -> None:
    assert locked(LOCK, {"attrs==26.1.0", "numpy==2.4.6"}) == (
        "attrs==26.1.0 \\\n    --hash=sha256:dd\nnumpy==2.4.6 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    )


def test_what_the_lock_does_not_pin_is_refused() -> None:
    with pytest.raises(ClusterError, match="yarl==1"):
        locked(LOCK, {"attrs==26.1.0", "yarl==1.0"})
