#!/bin/bash
# Two network namespaces as two hosts, joined by a pair of virtual cards: heartmind under mpirun over TCP.
# Prints PASS and FAIL lines. Needs root, iproute2, openmpi-bin, libopenmpi-dev. The addresses are private and exist
# inside the namespaces alone.
. "$(dirname "$0")/common.sh"
need ip mpirun unshare

one=heartmind-a-$$
two=heartmind-b-$$
tear_down() {
  for name in $one $two; do
    ip netns pids "$name" 2>/dev/null | xargs -r kill -9 2>/dev/null
    ip netns delete "$name" 2>/dev/null
  done
  rm -rf "$work"
}
trap tear_down EXIT

set_up() {
  ip netns add $one && ip netns add $two || return 1
  ip link add hm-a-$$ netns $one type veth peer name hm-b-$$ netns $two || return 1
  ip -n $one address add 10.77.0.1/24 dev hm-a-$$ && ip -n $two address add 10.77.0.2/24 dev hm-b-$$ || return 1
  for pair in "$one hm-a-$$" "$two hm-b-$$"; do
    set -- $pair
    ip -n "$1" link set lo up && ip -n "$1" link set "$2" up || return 1
  done
  # What ssh is to mpirun: enter the other host, which has a name of its own, and run the command there.
  cat >"$work/enter" <<AGENT
#!/bin/bash
shift # the address: there is one other host
exec ip netns exec $two unshare --uts bash -c 'hostname host-b; exec bash -c "\$0"' "\$*"
AGENT
  chmod +x "$work/enter"
}
on_two_hosts() {
  ip netns exec $one unshare --uts bash -c 'hostname host-a; exec "$@"' - \
    mpirun --host 10.77.0.1:1,10.77.0.2:1 --bind-to none --mca plm_rsh_agent "$work/enter" --mca btl tcp,self \
    --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 --mca pml ob1 "$@"
}

set_up || {
  fail "two hosts come up"
  exit 1
}
check "two hosts with names of their own" test "$(on_two_hosts hostname 2>/dev/null | sort | tr '\n' ' ')" = "host-a host-b "

on_two_hosts $(pretrain "$work/hosts") >"$work/out" 2>"$work/err"
check "two ranks on two hosts pre-train" grep -q '2 ranks on 2 hosts' "$work/err"
[ -f "$work/hosts/encoder.safetensors" ] || tail -n 20 "$work/err"
mpirun --oversubscribe --bind-to none -n 2 $(pretrain "$work/one") >/dev/null 2>&1
check "and end in the same bits as two ranks on one host" same_weights "$work/hosts" "$work/one"
bytes=$(ip netns exec $one cat /sys/class/net/hm-a-$$/statistics/tx_bytes)
check "the gradients went over the network ($((bytes / 1000000)) MB sent)" test "$bytes" -gt 50000000

# A rank dies on the other host: the job ends, the rerun resumes.
on_two_hosts $(pretrain "$work/cut") >"$work/out" 2>&1 &
job=$!
wait_for 60 test -f "$(checkpoint_of "$work/cut")"
kill -9 "$(ip netns pids $two | while read -r pid; do
  tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q "^[^ ]*node .*--out $work/cut" && echo "$pid"
done | head -n 1)"
begun=$SECONDS
wait $job && code=0 || code=$?
check "a rank killed on the other host ends the job (code $code, after $((SECONDS - begun)) s)" test "$code" -ne 0 -a $((SECONDS - begun)) -lt 30
on_two_hosts $(pretrain "$work/cut") >"$work/out" 2>&1
check "the rerun ends in the same bits" same_weights "$work/hosts" "$work/cut"
finish
