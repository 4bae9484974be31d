/* librejuv in twenty lines: fuse BASE ALPHA SFT OUT writes α·SFT + (1 − α)·base as a model that other programs load. */
#include "core/export/export.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    Pair *pair = NULL;
    ExportPlan *plan = NULL;
    Job *job = NULL;
    Error error;
    ExportOptions options = {
        .settings = settings_at(atof(argv[2])), .directory = argv[4], .donor = DONOR_SFT};
    Status status = pair_open(argv[1], argv[3], &pair, &error);
    if (status == STATUS_OK) status = job_create(0, NULL, NULL, &job, &error);
    if (status == STATUS_OK) status = export_plan(pair, &options, &plan, &error);
    if (status == STATUS_OK) status = export_check(plan, &error);
    if (status == STATUS_OK) status = export_run(plan, job, &error);
    if (status != STATUS_OK) (void)fprintf(stderr, "%s\n", error.message);
    export_plan_free(plan);
    job_free(job);
    pair_close(pair);
    return status != STATUS_OK;
}
