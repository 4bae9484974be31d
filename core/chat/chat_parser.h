/*
 * chat_parser — a template's text to its tree. What it does not know (extends, include, import, block, autoescape,
 * tags of other extensions) is refused by name.
 */
#ifndef REJUV_CORE_CHAT_PARSER_H
#define REJUV_CORE_CHAT_PARSER_H

#include "core/chat/chat_tree.h"

/* All of the tree lies in run's arena. */
Status chat_parser_read(ChatRun *run, const char *source, size_t length, ChatTree *tree) STATUS_MUST_CHECK;

#endif
