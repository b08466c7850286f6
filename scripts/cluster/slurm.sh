#!/bin/bash
# A one-node Slurm cluster, set up and torn down here: heartmind under srun and sbatch. Prints PASS and FAIL lines.
# Needs root and Debian's slurm-wlm, munge, openmpi-bin, libopenmpi-dev. Touches nothing outside its own folder.
. "$(dirname "$0")/common.sh"
need srun sbatch slurmctld slurmd munged mpirun

host=$(hostname -s)
pids=()
tear_down() {
  scancel --state=RUNNING 2>/dev/null
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  sleep 1
  for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null; done
  rm -rf "$work"
}
trap tear_down EXIT

set_up() {
  chmod 755 "$work"
  mkdir -p "$work"/{munge,state,spool,log}
  chmod 700 "$work/munge"
  dd if=/dev/urandom of="$work/munge/key" bs=1024 count=1 status=none
  chmod 400 "$work/munge/key"
  munged --foreground --force --key-file="$work/munge/key" --socket="$work/munge.socket" \
    --pid-file="$work/munge/pid" --log-file="$work/munge/log" --seed-file="$work/munge/seed" 2>/dev/null &
  pids+=($!)
  cat >"$work/slurm.conf" <<CONF
ClusterName=check
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
SlurmUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/log/slurmctld
SlurmdLogFile=$work/log/slurmd
KillWait=20
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=check Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
CONF
  export SLURM_CONF=$work/slurm.conf
  wait_for 5 test -S "$work/munge.socket" || return 1
  slurmctld -D -i 2>/dev/null &
  pids+=($!)
  slurmd -D 2>/dev/null &
  pids+=($!)
  wait_for 20 sh -c "sinfo -h -o %T | grep -q idle"
}
set_up || {
  fail "the cluster comes up"
  tail -n 5 "$work"/log/* "$work/munge/log"
  exit 1
}
pass "a one-node cluster comes up: $(sinfo --version), $(nproc) cores"
echo "     $(srun --mpi=list 2>&1 | tr '\n' ' ')"
launch="srun --overcommit --kill-on-bad-exit=1 -n 2"

check "srun knows pmix" sh -c "srun --mpi=list 2>&1 | grep -q pmix"
check "srun --mpi=pmix: two ranks pre-train" \
  sh -c "$launch --mpi=pmix $(pretrain "$work/whole") >$work/out 2>$work/err && grep -q '2 ranks on 1 host' $work/err"
[ -f "$work/whole/encoder.safetensors" ] || tail -n 20 "$work/err"
mpirun --oversubscribe --bind-to none -n 2 $(pretrain "$work/mpirun") >/dev/null 2>&1
check "srun and mpirun end in the same bits" same_weights "$work/whole" "$work/mpirun"

$launch --mpi=none $(pretrain "$work/apart") >"$work/out" 2>&1
check "srun without MPI is refused with the fix" grep -q 'do not know of each other. Use srun --mpi=pmix' "$work/out"

timeout 120 $launch --mpi=pmi2 $(pretrain "$work/pmi2") >"$work/out" 2>&1 && pmi2=0 || pmi2=$?
if [ "$pmi2" -eq 0 ]; then
  pass "srun --mpi=pmi2 works too"
else
  # Either our own words, or OpenMPI's, which ends the process while it joins.
  check "srun --mpi=pmi2, which this OpenMPI does not speak, is refused (code $pmi2)" \
    grep -qE "launched 2 ranks, but|not built with SLURM's PMI support" "$work/out"
  grep -m 1 -E "launched 2 ranks, but|PMI support" "$work/out" || cat "$work/out"
fi

# kill -9 of one rank.
$launch --mpi=pmix $(pretrain "$work/killed") >"$work/out" 2>&1 &
job=$!
wait_for 60 test -f "$(checkpoint_of "$work/killed")"
kill -9 "$(ranks_of "$work/killed" | tail -n 1)"
begun=$SECONDS
wait $job && code=0 || code=$?
check "a killed rank ends the job (code $code, after $((SECONDS - begun)) s)" test "$code" -ne 0 -a $((SECONDS - begun)) -lt 30
check "no rank is left" wait_for 10 sh -c "! pgrep -f 'node .*--out $work/killed\$' | grep -qv \$\$"
$launch --mpi=pmix $(pretrain "$work/killed") >"$work/out" 2>&1
check "the rerun ends in the same bits as a run that nobody killed" same_weights "$work/whole" "$work/killed"

# SIGTERM, as before a time limit or pre-emption: a checkpoint, then code 130.
$launch --mpi=pmix $(pretrain "$work/stopped") >"$work/out" 2>&1 &
job=$!
wait_for 60 test -f "$(checkpoint_of "$work/stopped")"
scancel --signal=TERM "$(squeue -h -o %A | head -n 1)"
wait $job && code=0 || code=$?
check "SIGTERM stops after a checkpoint (code $code)" grep -q 'A checkpoint is written; run again to resume' "$work/out"
$launch --mpi=pmix $(pretrain "$work/stopped") >"$work/out" 2>&1
check "and the rerun ends in the same bits" same_weights "$work/whole" "$work/stopped"

# The template, as a user submits it; only what a user sets is set: nodes, tasks, the command.
mkdir -p "$work/submit"
(
  cd "$work/submit" || exit
  HEARTMIND="$(command -v node) $cli" sbatch --wait --nodes=1 --ntasks-per-node=2 --cpus-per-task=1 --overcommit --mem=0 \
    "$root/deploy/slurm/heartmind.sbatch" \
    pretrain --data sample-ecg --recipe "$work/recipe.json" --device cpu --threads 1 --out "$work/submitted"
) >"$work/out" 2>&1
check "sbatch deploy/slurm/heartmind.sbatch runs" test -f "$work/submitted/encoder.safetensors"
[ -f "$work/submitted/encoder.safetensors" ] || cat "$work/out" "$work"/submit/*
check "and ends in the same bits" same_weights "$work/whole" "$work/submitted"
finish
