#!/bin/bash
# A real Slurm on this machine without systemd: munged, slurmctld and two slurmd (nodes n1, n2), all
# in one folder; nothing in /etc is touched. As root, with Debian's packages slurm-wlm and munge.
#   lab.sh up DIR; . DIR/env.sh; sinfo; lab.sh down DIR
set -euo pipefail

write_config() {
    cat > "$1/slurm.conf" <<CONF
ClusterName=lab
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
AuthType=auth/munge
AuthInfo=socket=$1/sock/munge.socket
CredType=cred/munge
StateSaveLocation=$1/state
SlurmdSpoolDir=$1/spool-%n
SlurmctldPidFile=$1/slurmctld.pid
SlurmdPidFile=$1/slurmd-%n.pid
SlurmctldLogFile=$1/log/slurmctld.log
SlurmdLogFile=$1/log/slurmd-%n.log
# No cgroups: processes are found in /proc, nothing is pinned.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
# squeue, which the profile and run.sh ask, has to remember ended jobs.
MinJobAge=86400
ReturnToService=2
SchedulerParameters=sched_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
# The nodes say they have more than this machine, so that the rules' real requests fit.
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=16821 CPUs=16 RealMemory=128000 Gres=gpu:fake:2
NodeName=n2 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=16822 CPUs=16 RealMemory=128000 Gres=gpu:fake:2
PartitionName=cpu Nodes=ALL Default=YES MaxTime=1-0
PartitionName=gpu Nodes=ALL MaxTime=7-0
CONF
    echo "Name=gpu Type=fake File=$1/gpu[0-1]" > "$1/gres.conf"
}

up() {
    mkdir -p "$1"/{state,log,munge,sock,bin,spool-n1,spool-n2}
    chmod 755 "$1" "$1/sock"
    chmod 700 "$1/munge"
    export SLURM_CONF=$1/slurm.conf
    write_config "$1"
    # Stand-ins for GPUs; with plain files CUDA_VISIBLE_DEVICES stays unset.
    for i in 0 1; do [ -c "$1/gpu$i" ] || mknod "$1/gpu$i" c 1 $((3 + 2 * i)); done
    head -c 1024 /dev/urandom > "$1/munge/key"
    chmod 600 "$1/munge/key"
    munged --force --key-file="$1/munge/key" --socket="$1/sock/munge.socket" \
        --pid-file="$1/munge/pid" --log-file="$1/log/munged.log" --seed-file="$1/munge/seed"
    # Snakemake's plugin drops SLURM_CONF, as every SLURM_*, before it calls srun in a job.
    printf '#!/bin/sh\nSLURM_CONF=%s exec /usr/bin/srun "$@"\n' "$SLURM_CONF" > "$1/bin/srun"
    chmod +x "$1/bin/srun"
    echo "export SLURM_CONF=$SLURM_CONF PATH=$1/bin:\$PATH" > "$1/env.sh"
    slurmctld -c
    sleep 1
    slurmd -c -N n1
    slurmd -c -N n2
    for _ in $(seq 40); do
        [ "$(sinfo -h -N -p cpu -o %T 2> /dev/null | grep -c idle)" = 2 ] && return
        sleep 0.5
    done
    sinfo -N
    echo "the nodes did not come up: $1/log" >&2
    return 1
}

down() {
    for file in slurmd-n1.pid slurmd-n2.pid slurmctld.pid munge/pid; do
        [ -f "$1/$file" ] || continue
        pid=$(cat "$1/$file")
        kill "$pid" 2> /dev/null || continue
        # It may still write to the folder, which the caller wants to remove.
        for _ in $(seq 100); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
    done
}

[ $# = 2 ] || { echo "usage: $0 up|down DIR" >&2; exit 2; }
"$1" "$(realpath -m "$2")"
