#!/usr/bin/env bash
# A sweep by GNU parallel, on this machine or on many: sweep-parallel.sh PLAN.toml DIR N [PARALLEL'S OPTIONS...]
#
# Cuts the plan into N shards, one thread each, as many at once as this machine has cores; then writes the index
# over all. With options such as `--sshloginfile HOSTS --workdir .` the shards run on those machines; DIR must
# then be a folder that all of them see. Stopped at any moment, the same command goes on where it stopped.
# BASINSCOPE names the program, where it is not in the PATH.
set -u
if [ $# -lt 3 ]; then
    echo "usage: $0 PLAN.toml DIR N [options of parallel...]" >&2
    exit 2
fi
plan=$1 out=$2 parts=$3
shift 3
program=${BASINSCOPE:-basinscope}
# A run that diverged makes its shard end with 1; the other shards go on.
seq "$parts" | parallel "$@" "'$program'" sweep "'$plan'" --out "'$out'" --shard "{}/$parts" --threads 1
exec "$program" sweep "$plan" --out "$out" --threads 1
