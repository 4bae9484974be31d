/*
 * hub_cache — the names of the Hugging Face Hub, and the cache that its clients keep on this machine.
 *
 *     CACHE/models--ORGANISATION--NAME/refs/main            the commit that was downloaded last
 *     CACHE/models--ORGANISATION--NAME/snapshots/COMMIT/    the model, links into blobs/
 *
 * CACHE is $HF_HUB_CACHE, $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub or
 * ~/.cache/huggingface/hub: the first that is set (huggingface_hub 2.4.0, constants.py).
 */
#ifndef REJUV_CORE_HUB_CACHE_H
#define REJUV_CORE_HUB_CACHE_H

#include <stdbool.h>

/* "NAME" or "ORGANISATION/NAME" with the characters that the Hub allows. */
bool hub_cache_is_name(const char *text);

/* Whether a directory is what the cache keeps of one model. */
bool hub_cache_is_model(const char *directory);

/* The snapshot that refs/main of such a directory names, or NULL: there is none, or no memory. The caller frees. */
char *hub_cache_main_snapshot(const char *directory);

/* The same of the model of that name in the cache of this machine. */
char *hub_cache_find(const char *name);

/* "ORGANISATION/NAME" of a directory "…/models--ORGANISATION--NAME"; NULL where it is none, or no memory. The caller
 * frees. */
char *hub_cache_name_of(const char *directory);

#endif
