#!/usr/bin/env bash
# A sweep by GNU parallel, on this machine or on many: sweep-parallel.sh PLAN.toml DIR N [PARALLEL'S OPTIONS...]
#
# Cuts the plan into N shards, one thread each, as many at once as this machine has cores; then writes the index
# over all. With options such as `--sshloginfile HOSTS --workdir .` the shards run on those machines; DIR must
# then be a folder that all of them see. Stopped at any moment, the same command goes on where it stopped; where
# a shard could not be made it ends with 2 and makes nothing more.
# BASINSCOPE names the program, where it is not in the PATH.
set -u -o pipefail
if [ $# -lt 3 ] || ! [ "$3" -ge 1 ] 2>/dev/null; then
    echo "usage: $0 PLAN.toml DIR N [options of parallel...]" >&2
    exit 2
fi
plan=$1 out=$2 parts=$3
shift 3
program=${BASINSCOPE:-basinscope}
# A word as any shell reads it, whatever is in it.
quoted() {
    printf "'%s'" "${1//\'/"'\\''"}"
}
# The command of a shard, in full: parallel replaces nothing in it. A run that diverged makes its shard end with 1:
# that is no error.
shard() {
    printf "bash -c '\"\$@\" || [ \$? -eq 1 ]' basinscope %s sweep %s %s --shard=%s --threads=1\0" \
        "$(quoted "$program")" "$(quoted "--out=$out")" "$(quoted "$plan")" "$1/$parts"
}
if ! for ((i = 1; i <= parts; i++)); do shard "$i"; done | parallel --null "$@"; then
    echo "error: not all shards were made, see above; the same command goes on" >&2
    exit 2
fi
exec "$program" sweep "$plan" "--out=$out" --threads 1
