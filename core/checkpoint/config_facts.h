/*
 * config_facts — what was decided about a checkpoint, and from which key of which file: for a person who compares it with
 * the script that trained it, and for telling two checkpoints apart.
 *
 *     rope theta    500,000                  rope_scaling.rope_theta
 *     window        4096, layers 28-31       layer_types
 *     end of text   2                        generation_config.json, config.json: eos_token_id
 *     end of text   3, 5                     generation_config.json: eos_token_id
 *     tied head     no                       (default of llama)
 *
 * A list is a value; whoever shows it may append what it knows besides (the tokenizer's class) with config_facts_add().
 */
#ifndef REJUV_CORE_CONFIG_FACTS_H
#define REJUV_CORE_CONFIG_FACTS_H

#include "core/checkpoint/checkpoint.h"

enum { CONFIG_MOST_FACTS = 48 };

typedef struct ConfigFact {
    const char *key;   /* static: "rope_theta" */
    const char *label; /* static: "rope theta" */
    char value[80], from[64];
    bool is_computed; /* changes what is computed, not only how it is stored or where a text ends */
} ConfigFact;

typedef struct ConfigFacts {
    ConfigFact items[CONFIG_MOST_FACTS];
    size_t count;
} ConfigFacts;

/* The facts of a checkpoint that can be run; of another only its types of weights. What ends a text is a fact for each
 * set of files that say so, or several, one after the other, where the ids are many: none is left out unsaid. */
void config_facts_list(const Checkpoint *checkpoint, ConfigFacts *facts);

/* Appends one, cut to its sizes; a list that is full stays as it is. Returns it, or NULL. */
ConfigFact *config_facts_add(ConfigFacts *facts, const char *key, const char *label, const char *from,
                             const char *format, ...) STATUS_PRINTF(5, 6);

/* The first fact of that key, or NULL. */
const ConfigFact *config_facts_find(const ConfigFacts *facts, const char *key);

#endif
