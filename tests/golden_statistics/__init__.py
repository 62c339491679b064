"""What Evidently says of the same rows: made once by `make.py`, compared in tests/unit/monitor/stats/test_golden.py."""
