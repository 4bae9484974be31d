/*
 * chat_parser_expression — expressions of a template, as nodes.
 */
#ifndef REJUV_CORE_CHAT_PARSER_EXPRESSION_H
#define REJUV_CORE_CHAT_PARSER_EXPRESSION_H

#include "core/chat/chat_parser_token.h"

/* One expression; without `with_condition`, no `x if y else z` at its top. */
Status chat_parser_expression_read(ChatParser *parser, bool with_condition,
                                   ChatNode **node) STATUS_MUST_CHECK;

/* One, or several with commas between them, which are a tuple. `end_name`: a name that ends it, or NULL. */
Status chat_parser_expression_read_tuple(ChatParser *parser, bool with_condition, const char *end_name,
                                         ChatNode **node) STATUS_MUST_CHECK;

/* What can be assigned to: a name, names, with `with_namespace` attributes of namespaces. */
Status chat_parser_expression_read_target(ChatParser *parser, const char *end_name, bool with_namespace,
                                          ChatNode **node) STATUS_MUST_CHECK;

/* Filters on `input` (NULL: of a block), each behind its `|`; the first without one where `is_inline`. */
Status chat_parser_expression_read_filters(ChatParser *parser, ChatNode *input, bool is_inline,
                                           ChatNode **node) STATUS_MUST_CHECK;

#endif
