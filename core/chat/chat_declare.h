/*
 * chat_declare — which names a scope has from its beginning, as jinja2 decides when it compiles: what a body sets,
 * in no branch, before it reads it, is the body's own, and undefined until then, whatever was handed in under that
 * name.
 *
 *     {{ x }} {% set x = 1 %}                               x is what was handed in, then 1
 *     {% for i in [1] %}{{ x }}{% endfor %}{% set x = 1 %}  x is undefined in the loop
 */
#ifndef REJUV_CORE_CHAT_DECLARE_H
#define REJUV_CORE_CHAT_DECLARE_H

#include "core/chat/chat_tree.h"

/* Fills the `declared` of the tree and of its nodes. */
Status chat_declare(ChatRun *run, ChatTree *tree) STATUS_MUST_CHECK;

#endif
