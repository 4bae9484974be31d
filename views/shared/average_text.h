/*
 * average_text — one of DISTRIBUTION_FIGURES as screens write it: measured, or estimated between measured points of α.
 */
#ifndef REJUV_VIEWS_AVERAGE_TEXT_H
#define REJUV_VIEWS_AVERAGE_TEXT_H

#include "core/evaluation/logit_curves.h"
#include "tui/text/format.h"

/* 0.1212, or 96.3 % of a share. */
char *average_text_write(const DistributionAverages *averages, size_t figure, char text[FORMAT_SIZE]);

/* ≈0.1212, or … where it may be wrong by more than is worth showing (tui/text/uncertain.h), which is false. */
bool average_text_write_estimate(const LogitEstimate *estimate, size_t figure, char text[FORMAT_SIZE]);

#endif
