/*
 * chat_filter_number — the filters that make a number of what they get.
 */
#ifndef REJUV_CORE_CHAT_FILTER_NUMBER_H
#define REJUV_CORE_CHAT_FILTER_NUMBER_H

#include "core/chat/chat_arguments.h"

const ChatRow *chat_filter_number_find(const ChatText *name);

#endif
