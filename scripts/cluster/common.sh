# What the checks of clusters share. Source it; needs root, OpenMPI, and a built heartmind (npm run build).
# HEARTMIND_CLI names another built command line than dist/cli.js.

set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cli=${HEARTMIND_CLI:-$root/dist/cli.js}
work=$(mktemp -d /tmp/heartmind-cluster.XXXXXX)
failures=0
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_mpi_yield_when_idle=1 # the ranks of a check share few cores

# pass TEXT / fail TEXT: one line a fact.
pass() { echo "PASS $1"; }
fail() {
  echo "FAIL $1"
  failures=$((failures + 1))
}
# check TEXT COMMAND…: PASS where the command ends with 0.
check() {
  local text=$1
  shift
  if "$@"; then pass "$text"; else fail "$text"; fi
}
# finish: the exit code says whether all held.
finish() {
  if [ "$failures" -eq 0 ]; then echo "all hold"; else echo "$failures do not hold"; fi
  [ "$failures" -eq 0 ]
}
need() {
  for program in "$@"; do
    command -v "$program" >/dev/null || {
      echo "$program is missing: apt-get install openmpi-bin libopenmpi-dev slurm-wlm munge iproute2"
      exit 2
    }
  done
  [ "$(id -u)" -eq 0 ] || {
    echo "root is needed: daemons or network namespaces are set up"
    exit 2
  }
  [ -f "$cli" ] || {
    echo "$cli is missing: npm run build"
    exit 2
  }
}

# A small pre-training on the embedded recordings: batch 8, so that 2 and 4 ranks divide it.
cat >"$work/recipe.json" <<'JSON'
{
  "version": 1, "task": "pretrain", "modality": "ecg", "encoder": { "layers": 1 },
  "leadSubsets": [12, 3, 1], "mask": { "mixture": { "dual": 1 } }, "validationShare": 0.3,
  "optimization": { "epochs": 3, "batch": 8, "minimumLearningRate": 1e-5 }
}
JSON
# pretrain FOLDER: the words of the command, after those that launch it.
pretrain() { echo "$(command -v node) $cli pretrain --data sample-ecg --recipe $work/recipe.json --device cpu --threads 1 --out $1"; }
# same_weights A B: to the bit.
same_weights() { cmp -s "$1/encoder.safetensors" "$2/encoder.safetensors"; }
checkpoint_of() { echo "$1/training/pretrain/checkpoint.safetensors"; }
# wait_for SECONDS COMMAND…: until it succeeds.
wait_for() {
  local tries=$(($1 * 20))
  shift
  while [ $tries -gt 0 ]; do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.05
    tries=$((tries - 1))
  done
  return 1
}
# ranks_of FOLDER: the processes of the ranks that train there.
ranks_of() { pgrep -f "^[^ ]*node .*pretrain .*--out $1\$"; }
