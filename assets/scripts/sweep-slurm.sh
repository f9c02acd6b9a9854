#!/usr/bin/env bash
# A sweep as a Slurm job array: sbatch --array=1-N sweep-slurm.sh PLAN.toml DIR N
#
# Each task of the array makes one of N shards on one core. DIR is a folder that all nodes see; the last task to
# end has written the index over all. A task that met its time limit goes on where it stopped when it is submitted
# again, alone (--array=3) or with all others. BASINSCOPE names the program, where it is not in the PATH.
#SBATCH --job-name=basinscope
#SBATCH --cpus-per-task=1
#SBATCH --output=basinscope-%A_%a.log
set -u
if [ $# -ne 3 ] || [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
    echo "usage: sbatch --array=1-N $0 PLAN.toml DIR N" >&2
    exit 2
fi
exec "${BASINSCOPE:-basinscope}" sweep "$1" --out "$2" --shard "$SLURM_ARRAY_TASK_ID/$3" --threads 1
