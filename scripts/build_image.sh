#!/usr/bin/env bash
# Build docker/Dockerfile:
#
#     scripts/build_image.sh [--flavour cpu|gpu] [TAG [OPTION …]]
#
# gpu (the default, TAG hmgpu) has everything and works without a GPU too; cpu (TAG hmgpu-cpu) is without CUDA's
# libraries and what needs them, see docker/Dockerfile. OPTIONs go to the builder, such as --build-arg BASE_IMAGE=…
#
# BUILDER is "docker build", or what else takes its options (scripts/check_image.sh gives buildah). On a machine behind
# a mirror or a proxy with a certificate of its own, PIP_INDEX_URL, UV_DEFAULT_INDEX and SSL_CERT_FILE (a file with all
# certificates) are passed on where they are set; they don't get into the image.
set -euo pipefail
cd "$(dirname "$0")/.."

flavour=gpu
if [[ ${1:-} == --flavour ]]; then
  flavour=${2:?--flavour takes cpu or gpu}
  shift 2
fi
case $flavour in
  gpu) name=hmgpu options=() ;;
  cpu) name=hmgpu-cpu options=(--build-arg BASE_IMAGE=debian:bookworm-slim) ;;
  *) echo "--flavour takes cpu or gpu" >&2 && exit 2 ;;
esac
tag=${1:-$name}
read -ra builder <<<"${BUILDER:-docker build}"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
revision=$(git describe --always --abbrev=40 --dirty --match '' 2>/dev/null || echo unknown)

options+=(--build-arg "FLAVOUR=$flavour" --build-arg "VERSION=$version" --build-arg "REVISION=$revision")
for name in PIP_INDEX_URL UV_DEFAULT_INDEX; do
  [[ -z ${!name:-} ]] || options+=(--build-arg "$name")
done
if [[ -n ${SSL_CERT_FILE:-} ]]; then
  there=/run/secrets/ca
  options+=(--secret "id=ca,src=$SSL_CERT_FILE" --build-arg "SSL_CERT_FILE=$there" --build-arg "PIP_CERT=$there")
fi
exec "${builder[@]}" -f docker/Dockerfile -t "$tag" --target image "${options[@]}" "${@:2}" .
