/*
 * chat — chat templates: the Jinja that instruct models bring along, compiled once, rendered for any conversation,
 * by any thread.
 *
 *     ChatTemplate *template;
 *     chat_compile("chat_template.jinja", source, length, &template, &error)
 *     chat_render(template, &(ChatRequest){.conversation = conversation, …}, &rendering, &error)
 *
 * Equal to what apply_chat_template of transformers 5.24 gives (jinja2 3.1.6, ImmutableSandboxedEnvironment with
 * trim_blocks, lstrip_blocks and loop controls). Integers have 64 bits; what leaves them is refused. So are, by
 * name, the tags extends, include, import, from, block and autoescape, the filters pprint, random, striptags,
 * urlize, wordwrap and xmlattr, the tests filter and test, the methods casefold, encode, expandtabs, isidentifier,
 * maketrans and translate, sets of the keys of dicts, and lipsum.
 *
 * The room: a Jinja interpreter, from a template's text to that of a conversation, and where a directory has its
 * templates. Read it in this order: values (chat_value, chat_dict, chat_text, chat_print, chat_json_…), text to tree
 * (chat_lexer, chat_parser, chat_declare), what values can do (chat_operators, chat_access, chat_method_…,
 * chat_filter_…, chat_tests, chat_functions), the interpreter (chat_scope, chat_evaluate, chat_execute), and where the
 * assistant speaks (chat_spans). Nothing
 * is kept between calls: a compiled template and a conversation that was read never change, and whoever made one
 * frees it; a rendering is its thread's own. A conversation that is being written is chat_turns.
 */
#ifndef REJUV_CORE_CHAT_H
#define REJUV_CORE_CHAT_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one rendering may take; compiling takes of `memory`, `steps` and `depth` too. */
typedef struct ChatLimits {
    size_t memory; /* bytes of values */
    size_t output; /* bytes of text */
    uint64_t steps;
    unsigned depth; /* of what is nested: expressions, statements, macros that call macros */
} ChatLimits;

extern const ChatLimits CHAT_LIMITS_DEFAULT;

typedef struct ChatTemplate ChatTemplate;
typedef struct ChatConversation ChatConversation; /* chat_conversation.h */

/* STATUS_FORMAT where it is no template, STATUS_UNSUPPORTED where it has what is refused, or takes more than `limits`
 * (NULL: the default): the message has `name`, which is copied, the line and the construct. */
Status chat_compile(const char *name, const char *source, size_t length, const ChatLimits *limits,
                    ChatTemplate **template, Error *error) STATUS_MUST_CHECK;
void chat_free(ChatTemplate *template);

/* It marks what the assistant says itself, by {% generation %}. */
bool chat_has_generation(const ChatTemplate *template);

/* It reads a variable of that name that is handed in, as template_kwargs are: a switch such as enable_thinking. */
bool chat_reads(const ChatTemplate *template, const char *name);

/* A text that templates see under a name: bos_token, eos_token. */
typedef struct ChatVariable {
    const char *name, *text;
} ChatVariable;

/* Where the assistant's turns, those that are learned (chat_conversation.h), are asked for. */
typedef enum ChatSpansRule {
    CHAT_SPANS_NONE,
    CHAT_SPANS_BY_TEMPLATE, /* its generation blocks, or, where it has none, or not as many as there are turns while
                               some are not learned, as the next */
    CHAT_SPANS_BY_RENDERING /* behind the rendering of all before a turn, to the end of that which ends with it */
} ChatSpansRule;

typedef struct ChatRequest {
    const ChatConversation *conversation;
    const ChatVariable *variables; /* the conversation's own of these names go before them */
    size_t variable_count;
    ChatSpansRule spans;
    bool asks;                /* with a generation prompt, whatever the conversation says */
    int64_t now;              /* for strftime_now: seconds since 1970 */
    bool is_utc;              /* the zone of it: UTC, or this machine's */
    const ChatLimits *limits; /* NULL: the default */
} ChatRequest;

typedef struct ChatSpan {
    size_t first, end; /* code points of the text */
} ChatSpan;

typedef struct ChatRendering {
    char *text; /* UTF-8, NUL-terminated, `bytes` long without that */
    size_t bytes;
    ChatSpan *spans;
    size_t span_count;
    bool has_spans; /* false: not asked for, or one rendering is not the beginning of the next */
} ChatRendering;

/* STATUS_FORMAT where the template refuses the conversation, or cannot be applied to it. After a failure there is
 * nothing to free. */
Status chat_render(const ChatTemplate *template, const ChatRequest *request, ChatRendering *rendering,
                   Error *error) STATUS_MUST_CHECK;
/* The last turn that is learned alone, for a conversation whose renderings are not beginnings of each other: the text is
 * the rendering that ends with it, and its one span begins where that leaves the rendering of all before it with a
 * generation prompt. STATUS_ARGUMENT where no turn is learned. */
Status chat_render_last(const ChatTemplate *template, const ChatRequest *request, ChatRendering *rendering,
                        Error *error) STATUS_MUST_CHECK;

void chat_rendering_free(ChatRendering *rendering);

/* The time for a request: SOURCE_DATE_EPOCH where it is set to a number, in UTC; else now, in this machine's zone. */
void chat_set_time(ChatRequest *request);

#endif
