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

#include "core/support/status.h"

#include <stdbool.h>

/* "NAME" or "ORGANISATION/NAME" with the characters that the Hub allows. */
bool hub_cache_is_name(const char *text);

/* Whether a directory is what the cache keeps of one model. */
bool hub_cache_is_model(const char *directory);

/* The snapshot that refs/main of such a directory names, which the caller frees; NULL where it names none that is there. */
Status hub_cache_main_snapshot(const char *directory, char **snapshot, Error *error) STATUS_MUST_CHECK;

/* The same of the model of that name in the cache of this machine. */
Status hub_cache_find(const char *name, char **snapshot, Error *error) STATUS_MUST_CHECK;

/* "ORGANISATION/NAME" of a directory "…/models--ORGANISATION--NAME", which the caller frees; NULL where it is none. */
Status hub_cache_name_of(const char *directory, char **name, Error *error) STATUS_MUST_CHECK;

#endif
