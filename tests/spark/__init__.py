"""A real Spark, installed outside the repository, that reads tables as users do."""
