"""Objects in a bucket, over the S3 API: the only package that speaks it on the operator's side."""
