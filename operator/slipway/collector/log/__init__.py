"""Delta tables on S3: their files, and commits of which each happens once."""
