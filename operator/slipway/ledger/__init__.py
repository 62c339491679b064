"""The ledger: what happened, for ever, provably. A C2SP tlog-tiles log on the S3 API (docs/ledger.md).

`entry` says what is recorded; `writer` appends; `reader`, `verify` and `prove` are what auditors use. Nothing is imported here: the
planner, which is pure, needs `entry` alone.
"""
