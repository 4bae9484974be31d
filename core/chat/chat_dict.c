#include "core/chat/chat_dict.h"

#include "core/chat/chat_compare.h"
#include "core/files/hash.h"

#include <string.h>

enum { FEW = 8 }; /* so many are looked through */

Status chat_dict_new(ChatRun *run, size_t capacity, ChatDict **dict) {
    void *block, *entries = NULL;
    Status status = chat_run_take(run, 1, sizeof(ChatDict), &block);
    if (status == STATUS_OK && capacity > 0)
        status = chat_run_take(run, capacity, sizeof(ChatEntry), &entries);
    if (status != STATUS_OK) return status;
    *dict = block;
    **dict = (ChatDict){.entries = entries, .capacity = capacity};
    return STATUS_OK;
}

static uint64_t hash_number(double number) {
    number += 0.0; /* -0.0 is 0.0 */
    return hash_fnv1a(&number, sizeof number);
}

/* FNV-1a: what is bounded by steps needs no secret seed. */
static uint64_t hash_value(ChatValue value) {
    uint64_t hash = value.type == CHAT_NONE ? 1 : 2;
    if (value.type == CHAT_TEXT || value.type == CHAT_BIG)
        return hash_fnv1a(value.as.text->bytes, value.as.text->length);
    if (chat_value_is_number(value)) return hash_number(chat_value_number(value));
    if (value.type == CHAT_OBJECT) return hash_fnv1a(&value.as.object, sizeof value.as.object);
    if (value.type == CHAT_NAMESPACE) return hash_fnv1a(&value.as.dict, sizeof value.as.dict);
    if (value.type != CHAT_LIST) return hash;
    for (size_t i = 0; i < value.as.list->count; i++)
        hash = hash * 1099511628211ULL + hash_value(value.as.list->items[i]);
    return hash;
}

bool chat_dict_is_key(ChatValue value) {
    if (value.type == CHAT_LIST) {
        ChatListKind kind = value.as.list->kind;
        if (kind != CHAT_LIST_TUPLE && kind != CHAT_LIST_GROUP && kind != CHAT_LIST_RANGE) return false;
        for (size_t i = 0; i < value.as.list->count; i++) {
            if (value.as.list->items[i].type == CHAT_LIST || !chat_dict_is_key(value.as.list->items[i]))
                return false;
        }
        return true;
    }
    return value.type != CHAT_MISSING && value.type != CHAT_DICT;
}

static bool is_same(ChatRun *run, const ChatEntry *entry, ChatValue key, uint64_t hash) {
    if (entry->hash != hash) return false;
    if (key.type == CHAT_TEXT && entry->key.type == CHAT_TEXT)
        return key.as.text->length == entry->key.as.text->length &&
               memcmp(key.as.text->bytes, entry->key.as.text->bytes, key.as.text->length) == 0;
    return key.type != CHAT_TEXT && chat_compare_equal(run, entry->key, key);
}

static size_t find_slot(ChatRun *run, const ChatDict *dict, ChatValue key, uint64_t hash) {
    size_t slot = (size_t)hash & (dict->slot_count - 1);
    while (dict->slots[slot] != 0 && !is_same(run, &dict->entries[dict->slots[slot] - 1], key, hash))
        slot = (slot + 1) & (dict->slot_count - 1);
    return slot;
}

static ChatEntry *find(ChatRun *run, const ChatDict *dict, ChatValue key, uint64_t hash) {
    if (dict->slots != NULL) {
        uint32_t found = dict->slots[find_slot(run, dict, key, hash)];
        return found == 0 ? NULL : &dict->entries[found - 1];
    }
    for (size_t i = 0; i < dict->count; i++) {
        if (is_same(run, &dict->entries[i], key, hash)) return &dict->entries[i];
    }
    return NULL;
}

/* Slots for twice as many entries as there are. */
static Status index_entries(ChatRun *run, ChatDict *dict) {
    size_t slots = 32;
    while (slots < dict->capacity * 2) slots *= 2;
    void *block;
    Status status = chat_run_take(run, slots, sizeof(uint32_t), &block);
    if (status != STATUS_OK) return status;
    dict->slots = block;
    dict->slot_count = slots;
    for (size_t i = 0; i < dict->count; i++)
        dict->slots[find_slot(run, dict, dict->entries[i].key, dict->entries[i].hash)] = (uint32_t)(i + 1);
    return STATUS_OK;
}

Status chat_dict_set(ChatRun *run, ChatDict *dict, ChatValue key, ChatValue value) {
    if (!chat_dict_is_key(key))
        return chat_run_fail(run, STATUS_FORMAT, "a %s is no key of a dict", chat_value_type_name(key));
    uint64_t hash = hash_value(key);
    ChatEntry *entry = find(run, dict, key, hash);
    if (entry != NULL) {
        entry->value = value;
        return STATUS_OK;
    }
    if (dict->count >= UINT32_MAX - 1) return chat_run_fail(run, STATUS_UNSUPPORTED, "a dict is too large");
    void *entries = dict->entries;
    size_t before = dict->capacity;
    Status status =
        chat_run_grow(run, &entries, dict->count, &dict->capacity, dict->count + 1, sizeof(ChatEntry));
    if (status != STATUS_OK) return status;
    dict->entries = entries;
    dict->entries[dict->count++] = (ChatEntry){.key = key, .value = value, .hash = hash};
    if (dict->count <= FEW) return STATUS_OK;
    if (dict->slots == NULL || dict->capacity != before) return index_entries(run, dict);
    dict->slots[find_slot(run, dict, key, hash)] = (uint32_t)dict->count;
    return STATUS_OK;
}

const ChatValue *chat_dict_find(ChatRun *run, const ChatDict *dict, ChatValue key) {
    if (!chat_dict_is_key(key)) return NULL;
    const ChatEntry *entry = find(run, dict, key, hash_value(key));
    return entry == NULL ? NULL : &entry->value;
}

const ChatValue *chat_dict_find_text(const ChatDict *dict, const char *bytes, size_t length) {
    const ChatText text = {.bytes = bytes, .length = length};
    return chat_dict_find(NULL, dict, chat_value_text(&text)); /* texts are compared without steps */
}

const ChatValue *chat_dict_find_string(const ChatDict *dict, const char *key) {
    return chat_dict_find_text(dict, key, strlen(key));
}
