"""What a batch holds, and how it becomes rows of a table: pure, no I/O."""
