/*
 * block_latent — latent attention (architecture.h, LatentPlan) as a block: BUFFER_NORMED to BUFFER_ADDED, and back. What is cached are
 * keys and values as they come of the latent, so that all that goes over the cache is as with plain attention.
 */
#ifndef REJUV_CORE_BLOCK_LATENT_H
#define REJUV_CORE_BLOCK_LATENT_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

Status block_latent_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;
Status block_latent_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
