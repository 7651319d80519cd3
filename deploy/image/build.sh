#!/usr/bin/env bash
# build.sh IMAGE VERSION makes the image of bin/image, with buildah or docker. No image is pulled.
set -euo pipefail
cd "$(dirname "$0")/../.."
image=$1 version=$2 epoch=${SOURCE_DATE_EPOCH:-0}

args=(--file deploy/Dockerfile --target prebuilt --tag "$image"
  --build-arg "VERSION=$version"
  --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)"
  --build-arg "CREATED=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)")

if command -v buildah >/dev/null; then
  buildah build --quiet --timestamp "$epoch" --layers=false "${args[@]}" .
elif command -v docker >/dev/null; then
  docker buildx build --quiet --build-arg "SOURCE_DATE_EPOCH=$epoch" --provenance=false \
    --output type=docker,rewrite-timestamp=true "${args[@]}" .
else
  echo "SKIPPED: there is neither buildah nor docker; bin/image has the image's files"
fi
