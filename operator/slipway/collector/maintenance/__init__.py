"""What keeps tables small and quick: compaction, retention, vacuum."""
