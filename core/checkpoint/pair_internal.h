/*
 * pair_internal — what the files of a Pair share. Not for others.
 */
#ifndef REJUV_CORE_PAIR_INTERNAL_H
#define REJUV_CORE_PAIR_INTERNAL_H

#include "core/checkpoint/pair.h"

/* Findings about what the two config.json say, of each other and of the tensors; sets pair->differing
 * (pair_settings.c). */
Status pair_compare_settings(Pair *pair, Error *error);

#endif
