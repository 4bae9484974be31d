/*
 * chat_names — which of the names that are handed in a template reads.
 */
#ifndef REJUV_CORE_CHAT_NAMES_H
#define REJUV_CORE_CHAT_NAMES_H

#include "core/chat/chat_tree.h"

/* The name is read somewhere where the template has not set it itself before in every case; a read that a branch's set
 * may come before counts. */
bool chat_names_are_read(const ChatTree *tree, uint32_t symbol);

#endif
