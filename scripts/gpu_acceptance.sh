#!/usr/bin/env bash
# All that only an NVIDIA GPU can show, in one call:
#
#     scripts/gpu_acceptance.sh [--scale S] [--steps "doctor tests demo features …"] [OUT]
#
# The steps are doctor, tests, demo, features, candidates, train, two-tower and pipeline; all, unless given.
# A step that fails stops none of the others; the exit status says whether all went well. OUT, unless given
# docs/results/gpu-MODEL-DATE, gets every step's log, the benchmarks' JSON and plots, the GPU's utilisation and memory
# over time, and README.md: a line a step with its seconds and the most device memory. Benchmarks generate
# their data at scale S (1.0, the size of H&M's, unless given).
#
#     PYTHON    the interpreter; .venv's where there is one. Any does that finds hmgpu's packages, such as one with
#               PYTHONPATH=a/folder/of/packages: nothing is installed or fetched, and make isn't needed
set -uo pipefail
cd "$(dirname "$0")/.."

scale=1.0
steps="doctor tests demo features candidates train two-tower pipeline"
out=
while (($#)); do
  case $1 in
    --scale) scale=${2:?--scale takes a number} && shift ;;
    --steps) steps=${2:?--steps takes names of steps} && shift ;;
    -*) sed -n '2,14s/^# \?//p' "$0" >&2 && exit 2 ;;
    *) out=$1 ;;
  esac
  shift
done
if [[ -z ${PYTHON:-} ]]; then
  PYTHON=$([[ -x .venv/bin/python ]] && echo .venv/bin/python || echo python3)
fi
if ! model=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>&1 | head -n 1) || [[ -z $model ]]; then
  echo "there is no NVIDIA GPU here (nvidia-smi: ${model:-says nothing})" >&2
  exit 2
fi
out=${out:-docs/results/gpu-$(tr 'A-Z ' 'a-z-' <<<"$model")-$(date -u +%F)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
report=$out/README.md

hmgpu() { "$PYTHON" -m hmgpu.cli "$@"; }
plot=--plot # or later, elsewhere: hmgpu benchmark plot OUT/features.json
"$PYTHON" -c "import matplotlib" 2>/dev/null || plot=--no-plot
benchmark() { hmgpu benchmark "$1" --scale "$scale" --data "$work/world" --out "$out/$1.json" "$plot" "${@:2}"; }

doctor() { hmgpu doctor; }
tests() { "$PYTHON" -m pytest -p no:cacheprovider -m gpu -rs; }
# The same data, once on each engine: the same candidates, and lists that differ by no more than chance.
demo() {
  local engine
  for engine in cpu gpu; do
    hmgpu demo --engine "$engine" --set "data.raw=$work/raw" --set "data.root=$work/data" --set "runs=$work/$engine" \
      || return
  done
  hmgpu compare "$work/cpu/current" "$work/gpu/current"
}
features() { benchmark features --engine auto; }
candidates() { benchmark candidates --engine auto; }
train() { benchmark train --engine auto; }
# Against other loaders on the GPU: what the CPU takes for it at this size would be most of the call.
two-tower() { benchmark two-tower --engine gpu --repeats 3; }
pipeline() { benchmark pipeline --engine auto; }

# watched FILE COMMAND …: the GPU's utilisation (per cent) and memory (MiB) five times a second meanwhile.
watched() {
  nvidia-smi --query-gpu=utilization.gpu,memory.used --format=csv,noheader,nounits -lms 200 >"$1" &
  local watcher=$! code
  "${@:2}"
  code=$?
  kill -KILL "$watcher" # TERM gets lost where it comes before the shell has become nvidia-smi
  wait "$watcher" 2>/dev/null
  return "$code"
}

failed=0
{
  echo "# $model, $(date -u +%F)"
  echo
  nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader
  echo
  echo "    scripts/gpu_acceptance.sh --scale $scale --steps \"$steps\""
  echo
  echo "| step | seconds | GPU used, mean % | device memory at most, MiB | |"
  echo "|---|---|---|---|---|"
} >"$report"
for step in $steps; do
  started=$SECONDS outcome=ok
  watched "$out/$step-gpu.csv" "$step" >"$out/$step.log" 2>&1 || { outcome="**failed**, see $step.log" && failed=1; }
  used=$(awk -F', ' '{ sum += $1; if ($2 > most) most = $2 } END { if (NR) printf "%.0f | %d", sum / NR, most }' \
    "$out/$step-gpu.csv")
  echo "| $step | $((SECONDS - started)) | ${used:-| } | $outcome |" | tee -a "$report"
  [[ $outcome == ok ]] || tail -n 20 "$out/$step.log"
done
exit "$failed"
