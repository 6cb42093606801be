#!/usr/bin/env bash
# Print what has become of a job of SLURM: success, failed or running. Usage: status.sh JOB
#
# A controller that does not answer for a moment leaves the job running. A job that it has forgotten is asked of the
# accounting, and where that knows nothing either it has failed: it is tried again, and waits should it run after all.
export LC_ALL=C
if answer=$(scontrol --oneliner show job "$1" 2>&1); then
    state=$(grep -o 'JobState=[A-Z_]*' <<<"$answer" | head -n 1 | cut -d= -f2)
elif [[ $answer == *"Invalid job id"* ]]; then
    state=$(sacct --noheader --parsable2 --allocations --format=State --jobs="$1" 2>/dev/null | head -n 1 | cut -d' ' -f1)
    state=${state:-UNKNOWN}
else
    state=PENDING
fi
case $state in
    COMPLETED) echo success ;;
    BOOT_FAIL | CANCELLED | DEADLINE | FAILED | NODE_FAIL | OUT_OF_MEMORY | TIMEOUT | UNKNOWN) echo failed ;;
    *) echo running ;;
esac
