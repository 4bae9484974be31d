/*
 * chat_filter_text — the filters that make a text of what they get.
 */
#ifndef REJUV_CORE_CHAT_FILTER_TEXT_H
#define REJUV_CORE_CHAT_FILTER_TEXT_H

#include "core/chat/chat_arguments.h"

const ChatRow *chat_filter_text_find(const ChatText *name);

#endif
