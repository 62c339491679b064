#!/bin/sh
# Serves /data over S3. BUCKETS names the buckets to make, by spaces; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are the root account's.
set -eu
export ROOT_ACCESS_KEY="$AWS_ACCESS_KEY_ID" ROOT_SECRET_KEY="$AWS_SECRET_ACCESS_KEY" VGW_REGION="${AWS_REGION:-us-east-1}"

for bucket in ${BUCKETS:-}; do # a folder of the served one is a bucket
  mkdir -p "/data/buckets/$bucket"
done
mkdir -p /data/buckets

# Objects' metadata are extended attributes; on a volume without them (some NFS) they go into files beside the buckets.
if ! python3 -c 'import os; os.setxattr("/data/buckets", "user.slipway", b"1")' 2>/dev/null; then
  mkdir -p /data/metadata
  export VGW_META_SIDECAR=/data/metadata
fi

exec versitygw --port :9000 --quiet posix /data/buckets
