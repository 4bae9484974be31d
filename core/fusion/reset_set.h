/*
 * reset_set — the set of neurons that ρ selects, as JSON: what `rejuv reset` prints and a recipe holds.
 *
 *     {"neurons": M, "per_target": n, "selected": k, "set": {"LAYER.MODULE": [index, …], "LAYER.EXPERT.MODULE": …}}
 *
 * Indexes count within their matrix (rows of q, k, v, gate and up, columns of o and down) and ascend; a matrix
 * of which nothing is selected is left out. n = round(ρ·M) is what one target selects, k the size of the
 * union over all of them.
 */
#ifndef REJUV_CORE_RESET_SET_H
#define REJUV_CORE_RESET_SET_H

#include "core/files/json.h"
#include "core/fusion/ranking.h"

/* Adds the four members to an object; false when out of memory. */
bool reset_set_add(cJSON *object, const Ranking *ranking, uint32_t cut);

/* Reads "set" into a ranking of two ranks: 0 for the listed neurons, the last for all others. `path` names
 * the file in messages. STATUS_FORMAT for a block or neuron that the table does not have, one that is there
 * twice, and another number of them than "selected" says. The caller frees. */
Status reset_set_read(const cJSON *object, const char *path, const NeuronTable *table,
                      const RankingOrigin *origin, Ranking **ranking, Error *error) STATUS_MUST_CHECK;

#endif
