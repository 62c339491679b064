#!/bin/sh
# Serves a volume over S3. BUCKETS names the buckets to make, by spaces; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are the root account's.
# With VGW_READ_ONLY=true it serves what another one beside it writes, and writes nothing.
set -eu
export ROOT_ACCESS_KEY="$AWS_ACCESS_KEY_ID" ROOT_SECRET_KEY="$AWS_SECRET_ACCESS_KEY" VGW_REGION="${AWS_REGION:-us-east-1}"
data="${DATA:-/data}"

if [ "${VGW_READ_ONLY:-false}" = true ]; then
  for bucket in ${BUCKETS:-}; do # the other one makes them
    until [ -d "$data/buckets/$bucket" ]; do sleep 1; done
  done
else
  mkdir -p "$data/buckets"
  # Objects' metadata are extended attributes; on a volume without them (some NFS) they go into files beside the buckets.
  if ! python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.slipway", b"1")' "$data/buckets" 2>/dev/null; then
    mkdir -p "$data/metadata"
  fi
  for bucket in ${BUCKETS:-}; do # a folder of the served one is a bucket
    mkdir -p "$data/buckets/$bucket"
  done
fi
if [ -d "$data/metadata" ]; then
  export VGW_META_SIDECAR="$data/metadata"
fi

exec versitygw --port ":${PORT:-9000}" --quiet posix "$data/buckets"
