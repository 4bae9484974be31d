/*
 * xml_check — whether a text is one well-formed XML element, as far as the program's drawings need it: elements
 * nest and close, attributes are quoted and named once, text holds no bare markup and only characters that XML
 * 1.0 has. No declarations, comments or CDATA: a drawing has none.
 */
#ifndef REJUV_TESTS_XML_CHECK_H
#define REJUV_TESTS_XML_CHECK_H

#include "tui/text/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { XML_DEPTH = 32, XML_NAME = 32 };

typedef struct XmlCheck {
    const char *at;
    char open[XML_DEPTH][XML_NAME];
    int depth;
    size_t elements, texts;
    char problem[128]; /* "" while there is none */
} XmlCheck;

static inline bool xml_fail(XmlCheck *check, const char *what) {
    if (check->problem[0] == '\0')
        (void)snprintf(check->problem, sizeof check->problem, "%s: %.40s", what, check->at);
    return false;
}

static inline bool xml_read_name(XmlCheck *check, char name[XML_NAME]) {
    size_t length = 0;
    while (isalnum((unsigned char)check->at[length]) ||
           strchr(":-_", check->at[length] ? check->at[length] : ' '))
        length++;
    if (length == 0 || length >= XML_NAME) return xml_fail(check, "a name was expected");
    (void)snprintf(name, XML_NAME, "%.*s", (int)length, check->at);
    check->at += length;
    return true;
}

/* One character of text or of an attribute's value. */
static inline bool xml_read_character(XmlCheck *check) {
    static const char *const ENTITIES[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"};
    if (*check->at == '&') {
        for (size_t i = 0; i < sizeof ENTITIES / sizeof *ENTITIES; i++) {
            if (strncmp(check->at, ENTITIES[i], strlen(ENTITIES[i])) != 0) continue;
            check->at += strlen(ENTITIES[i]);
            return true;
        }
        return xml_fail(check, "an entity that is none");
    }
    if (strncmp(check->at, "]]>", 3) == 0) return xml_fail(check, "the end of CDATA in text");
    int32_t character;
    size_t bytes = text_decode(check->at, strlen(check->at), &character);
    bool control = character < 0x20 && character != '\n' && character != '\t' && character != '\r';
    if (control || character == 0xFFFE || character == 0xFFFF)
        return xml_fail(check, "a character that XML has not");
    check->at += bytes;
    return true;
}

static inline bool xml_read_attributes(XmlCheck *check) {
    char names[16][XML_NAME];
    for (int count = 0;; count++) {
        size_t spaces = strspn(check->at, " \n");
        check->at += spaces;
        if (*check->at == '>' || *check->at == '/') return true;
        if (spaces == 0 || count == 16 || !xml_read_name(check, names[count]))
            return xml_fail(check, "an attribute was expected");
        for (int i = 0; i < count; i++)
            if (strcmp(names[i], names[count]) == 0) return xml_fail(check, "an attribute twice");
        if (strncmp(check->at, "=\"", 2) != 0) return xml_fail(check, "a quoted value was expected");
        for (check->at += 2; *check->at != '"';)
            if (*check->at == '\0' || *check->at == '<' || !xml_read_character(check))
                return xml_fail(check, "a value that does not end");
        check->at++;
    }
}

static inline bool xml_read_tag(XmlCheck *check) {
    char name[XML_NAME];
    check->at++;
    bool closes = *check->at == '/';
    check->at += closes;
    if (!xml_read_name(check, name)) return false;
    if (closes) {
        if (check->depth == 0 || strcmp(check->open[check->depth - 1], name) != 0)
            return xml_fail(check, "another element is open");
        check->depth--;
    } else {
        if (check->depth == 0 && check->elements > 0) return xml_fail(check, "a second root");
        check->elements++;
        check->texts += strcmp(name, "text") == 0;
        if (!xml_read_attributes(check)) return false;
        bool is_empty = *check->at == '/';
        check->at += is_empty;
        if (!is_empty) {
            if (check->depth == XML_DEPTH) return xml_fail(check, "too deep");
            (void)snprintf(check->open[check->depth++], XML_NAME, "%s", name);
        }
    }
    if (*check->at != '>') return xml_fail(check, "a tag that does not end");
    check->at++;
    return true;
}

/* Checks the whole text; `problem` says what is wrong. */
static inline XmlCheck xml_check(const char *text) {
    XmlCheck check = {.at = text};
    while (*check.at != '\0') {
        if (*check.at == '<') {
            if (!xml_read_tag(&check)) return check;
        } else if (check.depth == 0 && !isspace((unsigned char)*check.at)) {
            (void)xml_fail(&check, "text outside of the root");
            return check;
        } else if (!xml_read_character(&check)) {
            return check;
        }
    }
    if (check.depth > 0 || check.elements == 0) (void)xml_fail(&check, "an element is open at the end");
    return check;
}

#endif
