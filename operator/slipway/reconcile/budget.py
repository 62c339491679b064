"""How often something may happen for one key: a bucket of tokens each. Pure arithmetic, the time is passed in."""

from __future__ import annotations

from collections.abc import Hashable

_PRUNE_AT = 1000


class Budget:
    """`burst` at once, then one in `seconds`, for each key."""

    def __init__(self, burst: int, seconds: float) -> None:
        self._burst = burst
        self._seconds = seconds
        self._used: dict[Hashable, tuple[float, float]] = {}
        self._prune_at = _PRUNE_AT

    def wait(self, key: Hashable, now: float) -> float:
        """Takes a token and returns 0, or returns the seconds until there is one."""
        used = self._used_at(key, now)
        if used > self._burst - 1:
            return (used - self._burst + 1) * self._seconds
        self._used[key] = (used + 1, now)
        if len(self._used) > self._prune_at:
            self._used = {key: entry for key, entry in self._used.items() if self._used_at(key, now)}
            self._prune_at = _PRUNE_AT + 2 * len(self._used)
        return 0.0

    def __len__(self) -> int:
        return len(self._used)

    def _used_at(self, key: Hashable, now: float) -> float:
        used, at = self._used.get(key, (0.0, now))
        return max(0.0, used - (now - at) / self._seconds)
