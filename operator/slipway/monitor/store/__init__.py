"""What a run leaves in the log's bucket: its report, and a history of all runs."""
