/*
 * chat_source — where a directory has its chat templates, and the special tokens that they see: as AutoTokenizer of
 * transformers 5.24 reads them.
 *
 *     chat_template.jinja                    "default"    ─┐ where there is one of these, tokenizer_config.json's are
 *     additional_chat_templates/NAME.jinja   NAME          ─┘ passed over
 *     tokenizer_config.json  chat_template   a text: "default"; a list of {"name", "template"}, or an object of texts
 *     chat_template.json     chat_template   where no other is: AutoProcessor's own, which AutoTokenizer does not
 * read
 *
 * A template that cannot be compiled says so when it is chosen; the others are not concerned.
 */
#ifndef REJUV_CORE_CHAT_SOURCE_H
#define REJUV_CORE_CHAT_SOURCE_H

#include "core/chat/chat.h"

typedef struct ChatSource ChatSource;

/* A template: its name, the file it was in, its text. */
typedef struct ChatSourceEntry {
    const char *name, *file, *text;
    size_t bytes;
} ChatSourceEntry;

/* *source is NULL, and the status STATUS_OK, where there is no template. */
Status chat_source_open(const char *directory, ChatSource **source, Error *error) STATUS_MUST_CHECK;

/* The same where a template is needed: STATUS_IO, with the files that were looked for, where there is none. */
Status chat_source_require(const char *directory, ChatSource **source, Error *error) STATUS_MUST_CHECK;
void chat_source_close(ChatSource *source);

/* The template of that name; NULL: "tool_use" for a conversation with tools where there is one, else "default".
 * STATUS_ARGUMENT, with the names that there are, where there is none of it. */
Status chat_source_choose(const ChatSource *source, const char *name, bool has_tools,
                          const ChatTemplate **template, Error *error) STATUS_MUST_CHECK;

/* The same with what it is called and the file that it was in; `entry`'s texts are the source's. */
Status chat_source_choose_entry(const ChatSource *source, const char *name, bool has_tools,
                                const ChatTemplate **template, ChatSourceEntry *entry,
                                Error *error) STATUS_MUST_CHECK;

/* One after the other, by name. False behind the last. */
bool chat_source_entry(const ChatSource *source, size_t index, ChatSourceEntry *entry);

/* bos_token, eos_token and the others that the files name, image_token and its kind too. */
const ChatVariable *chat_source_variables(const ChatSource *source, size_t *count);

#endif
