#!/usr/bin/env bash
# Build both flavours of docker/Dockerfile without a Docker engine, on a Debian that is made here, and try each image as
# its own user:
#
#     scripts/check_image.sh [--flavours cpu,gpu] [--tests none|quick|all] [--keep]
#
# Needs root, buildah, debootstrap, and 60 GB under WORK while it runs (vfs copies whole layers). `quick` (the default)
# are the tests of the image and the command line, `all` is every test; they run in gpu alone, which has pytest. --keep
# leaves the images for the next look.
#
#     WORK      folder for the base, the images and the log; kept are the base, downloads and the log
#     SUITE     the Debian, a release with Python 3.11
#     MIRROR    where debootstrap finds it; empty: its own choice
#     STORAGE   buildah's storage driver; vfs works everywhere
#
# scripts/build_image.sh tells what else is passed on to machines behind a mirror or a proxy.
set -euo pipefail
cd "$(dirname "$0")/.."

WORK=${WORK:-${TMPDIR:-/tmp}/hmgpu-image}
SUITE=${SUITE:-bookworm}
MIRROR=${MIRROR:-}
STORAGE=${STORAGE:-vfs}
flavours=cpu,gpu
tests=quick
keep=false
while (($#)); do
  case $1 in
    --flavours) flavours=${2:?--flavours takes cpu, gpu or cpu,gpu} && shift ;;
    --tests) tests=${2:?--tests takes none, quick or all} && shift ;;
    --keep) keep=true ;;
    *) sed -n '2,18s/^# \?//p' "$0" >&2 && exit 2 ;;
  esac
  shift
done
[[ $flavours =~ ^(cpu|gpu|cpu,gpu)$ ]] || { echo "--flavours takes cpu, gpu or cpu,gpu" >&2 && exit 2; }
[[ $tests =~ ^(none|quick|all)$ ]] || { echo "--tests takes none, quick or all" >&2 && exit 2; }

mkdir -p "$WORK/tmp"
WORK=$(cd "$WORK" && pwd)
exec 9>"$WORK/.lock" # the end of one check takes away what another works with
flock --nonblock 9 || { echo "another check works in $WORK; wait for its end" >&2 && exit 1; }
export TMPDIR=$WORK/tmp # buildah's cache mounts and blobs lie there too
base=localhost/hmgpu-base:$SUITE
summary=$WORK/summary.txt
: >"$summary"

tool=(buildah --root "$WORK/storage" --runroot "$WORK/run" --storage-driver "$STORAGE")
buildah_() { "${tool[@]}" "$@"; }

say() { printf '%s\n' "$*" | tee -a "$summary"; }

log_of() { echo "$WORK/${1//[^a-z0-9]/-}.log"; }
show() { cat "$(log_of "$1")"; }

# step NAME COMMAND …: what it takes; what it prints lands in a file that is shown if it fails.
step() {
  local name=$1 file started=$SECONDS code=0
  file=$(log_of "$name")
  set +e # an `if` would take -e from the command as well
  (set -e && "${@:2}") >"$file" 2>&1
  code=$?
  set -e
  if ((code)); then
    tail -n 60 "$file"
    say "FAILED  $name, see $file"
    exit 1
  fi
  say "ok      $name, $((SECONDS - started)) s"
}

container=
places=$WORK/places
finish() {
  [[ -z $container ]] || buildah_ rm "$container" >/dev/null
  rm -rf "$places"
  $keep || buildah_ rmi --force localhost/hmgpu:checked-cpu localhost/hmgpu:checked-gpu "$base" >/dev/null 2>&1 || true
}
trap finish EXIT

# --- build -----------------------------------------------------------------------------------------------------------

make_base() {
  local root=$WORK/root scratch
  if [[ ! -f $WORK/$SUITE.tar ]]; then
    rm -rf "$root"
    debootstrap --variant=minbase --include=ca-certificates "$SUITE" "$root" ${MIRROR:+"$MIRROR"}
    tar -C "$root" -cf "$WORK/$SUITE.tar.part" .
    mv "$WORK/$SUITE.tar.part" "$WORK/$SUITE.tar"
    rm -rf "$root"
  fi
  scratch=$(buildah_ from scratch)
  buildah_ add --quiet "$scratch" "$WORK/$SUITE.tar" /
  buildah_ commit --quiet --rm "$scratch" "$base"
}

build() {
  BUILDER="${tool[*]} bud --isolation chroot --format docker --pull-never" \
    scripts/build_image.sh --flavour "$flavour" "$image" --build-arg "BASE_IMAGE=$base"
}

# --- what an image says of itself ------------------------------------------------------------------------------------

about() { buildah_ inspect --type image --format "{{$1}}" "$image"; }
label() { about "index .Docker.Config.Labels \"org.opencontainers.image.$1\""; }

# --- what it does ----------------------------------------------------------------------------------------------------

# within [OPTION …] -- COMMAND …: as the image's user, in its working folder, the checkout's tests to be read.
within() { buildah_ run --isolation chroot --volume "$places/checkout:/checkout:ro" "$@"; }
hmgpu() { within "${mounts[@]}" -- "$container" "${entry[@]}" "$@"; }

mib() { du -sxm "$1" | cut -f1; }
fingerprint() { find "$root/opt" "$root/configs" -printf '%P %m %U %s %T@\n' | sort | sha256sum; }

unprivileged() { [[ $(within -- "$container" id -u) == 1000 ]] && ! within -- "$container" touch /opt/hmgpu/new; }

# XGBoost's own library has its CUDA code inside, and loads nothing of CUDA on a CPU.
small() {
  local cuda
  cuda=$(find "$root/opt" "$root/usr" -name 'libcu[bd]*' -o -name 'libnccl*' -o -path '*/site-packages/nvidia*')
  printf '%s' "$cuda"
  [[ -z $cuda ]] && (($(mib "$root") < 3072))
}

# Data of its own, ingested and trained on by the config that README names.
pipeline() {
  local small=(--config configs/base.yaml --set memory_gb=4 --set ranker.first.rounds=5 --set ranker.then.rounds=20)
  local world=(--volume "$places/world:/world")
  within "${world[@]}" -- "$container" "${entry[@]}" synth --out /world/raw --scale 0.003
  within "${world[@]}" "${mounts[@]}" -- "$container" "${entry[@]}" ingest /world/raw
  hmgpu train "${small[@]}"
  within "${mounts[@]}" --volume "$places/world/raw:/raw:ro" -- "$container" "${entry[@]}" run "${small[@]}"
  [[ $(wc -l <"$places/runs/current/submission.csv") == $(wc -l <"$places/world/raw/customers.csv") ]]
}

# docker run --user: a number that the image has no name for.
stranger() {
  cp -r "$places/data/." "$places/other/data" && chown -R 4321:4321 "$places/other"
  within --user 4321:4321 --volume "$places/other/data:/data" --volume "$places/other/runs:/runs" -- "$container" \
    "${entry[@]}" train --config configs/base.yaml --set memory_gb=4 --set ranker.then.rounds=20
}

demo() { within -- "$container" "${entry[@]}" demo; }

pytest() {
  within --env HMGPU_IN_IMAGE=1 --env HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis --workingdir /checkout \
    -- "$container" pytest -p no:cacheprovider "$@"
}

same() { [[ $(fingerprint) == "$before" ]]; }

# check FLAVOUR: build it, look at it, try it.
check() {
  flavour=$1 image=localhost/hmgpu:checked-$1
  local package volumes left
  step "$flavour: build the image" build

  read -ra entry <<<"$(about 'range .Docker.Config.Entrypoint}}{{.}} {{end')"
  read -ra health <<<"$(about 'range .Docker.Config.Healthcheck.Test}}{{.}} {{end')"
  # shellcheck disable=SC2016
  volumes=$(about 'range $place, $_ := .Docker.Config.Volumes}}{{$place}} {{end')
  say "$(label title) $(label version), revision $(label revision), licence $(label licenses)"
  say "entry point ${entry[*]}, user $(about .Docker.Config.User), health ${health[*]}, volumes $volumes"
  [[ ${entry[*]} == hmgpu && ${health[0]} == CMD ]] || { say "FAILED  entry point or healthcheck" && exit 1; }

  container=$(buildah_ from --pull-never "$image")
  # Its volumes were looked at above. At a place of theirs buildah 1.28 takes now our --volume, now a folder of its own.
  buildah_ config --volume /data- --volume /runs- "$container"
  root=$(buildah_ mount "$container")
  rm -rf "$places"
  mkdir -p "$places"/{data,runs,other/data,other/runs,world,checkout}
  mounts=(--volume "$places/data:/data" --volume "$places/runs:/runs")
  git ls-files -z --cached --others --exclude-standard -- . ':!hmgpu' | tar --null -cT - | tar -xC "$places/checkout"
  chmod -R a+rX "$places/checkout"
  chown 1000:1000 "$places"/{data,runs,world}
  chown -R 4321:4321 "$places/other"

  say "size $(mib "$root") MiB, of which environment $(mib "$root/opt/hmgpu") MiB, base $(mib "$WORK/$SUITE.tar") MiB"
  [[ $flavour == gpu ]] || step "$flavour: under 3 GiB, and no CUDA library" small
  package=$root/opt/hmgpu/lib/python3.11/site-packages/hmgpu
  step "$flavour: the package is the checkout's" diff -r -x __pycache__ -x configs hmgpu "$package"
  step "$flavour: the configs are in the package" diff -r configs "$package/configs"
  before=$(fingerprint)
  step "$flavour: the user is not root and can't change the environment" unprivileged
  step "$flavour: the environment is what is locked" within -- "$container" python /checkout/scripts/check_lock.py
  step "$flavour: healthcheck" within -- "$container" "${health[@]:1}"
  show "$flavour: healthcheck"
  step "$flavour: ingest, train and run with base.yaml on /raw, /data and /runs" pipeline
  step "$flavour: train as a user without a name" stranger
  step "$flavour: demo" demo
  show "$flavour: demo" | tail -n 60
  left=$(show "$flavour: demo" | grep -c 'is left out' || true)
  say "        parts left out: $left; $(show "$flavour: demo" | grep -F ' ranker ' | tail -n 1)"
  if [[ $flavour == gpu && $tests != none ]]; then
    case $tests in
      quick) step "$flavour: tests, quick" pytest -n 2 tests/docker tests/cli ;;
      all) step "$flavour: tests, all" pytest -n 2 --dist loadfile --no-loadscope-reorder ;;
    esac
    say "        $(show "$flavour: tests, $tests" | tail -n 1)"
  fi
  step "$flavour: no file of the environment has changed" same
  buildah_ rm "$container" >/dev/null
  container=
}

say "base $SUITE, storage $STORAGE, $(buildah --version | cut -d' ' -f3), $(date -u +%F)"
step "make the base" make_base
for each in ${flavours/,/ }; do
  check "$each"
done
say "all is well"
