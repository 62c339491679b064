"""The collector: takes batches of predictions and ground truth, and keeps each row once in Delta tables on S3."""
