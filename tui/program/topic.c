#include "tui/program/topic.h"

#include <string.h>

/* ---- the files, made into arrays by cmake/Embed.cmake ---- */

#define TOPICS(X)                                                                                            \
    X(views, TOPIC_VIEWS)                                                                                    \
    X(keys, TOPIC_KEYS)                                                                                      \
    X(terminals, TOPIC_TERMINALS)                                                                            \
    X(models, TOPIC_MODELS)                                                                                  \
    X(calibration, TOPIC_CALIBRATION)                                                                        \
    X(method, TOPIC_METHOD)                                                                                  \
    X(recipe, TOPIC_RECIPE)                                                                                  \
    X(scripts, TOPIC_SCRIPTS)                                                                                \
    X(training, TOPIC_TRAINING)                                                                              \
    X(clusters, TOPIC_CLUSTERS)                                                                              \
    X(checks, TOPIC_CHECKS)                                                                                  \
    X(speed, TOPIC_SPEED)                                                                                    \
    X(trouble, TOPIC_TROUBLE)                                                                                \
    X(files, TOPIC_FILES)                                                                                    \
    X(environment, TOPIC_ENVIRONMENT)

#define TOPIC_EXTERN(name, identifier) extern const unsigned char identifier##_FILE[];
TOPICS(TOPIC_EXTERN)
#undef TOPIC_EXTERN

#define TOPIC_NAME(name, identifier) #name,
const char *const TOPIC_NAMES[] = {TOPICS(TOPIC_NAME)};
#undef TOPIC_NAME
const size_t TOPIC_COUNT = sizeof TOPIC_NAMES / sizeof *TOPIC_NAMES;

/* What else one may look for them by. */
static const struct {
    const char *name, *topic;
} OTHER_NAMES[] = {{"formats", "models"},    {"architectures", "models"},    {"tokenizers", "models"},
                   {"recipes", "recipe"},    {"slurm", "clusters"},          {"mpi", "clusters"},
                   {"colours", "terminals"}, {"troubleshooting", "trouble"}, {"performance", "speed"}};

const char *topic_find(const char *name) {
    for (size_t i = 0; i < sizeof OTHER_NAMES / sizeof *OTHER_NAMES; i++)
        if (strcmp(name, OTHER_NAMES[i].name) == 0) name = OTHER_NAMES[i].topic;
#define TOPIC_TEXT(topic, identifier)                                                                        \
    if (strcmp(name, #topic) == 0) return (const char *)identifier##_FILE;
    TOPICS(TOPIC_TEXT)
#undef TOPIC_TEXT
    return NULL;
}

/* ---- blocks ---- */

static bool begins(const char *line, const char *mark) {
    return strncmp(line, mark, strlen(mark)) == 0;
}

static const char *end_of_line(const char *line) {
    return line + strcspn(line, "\n");
}

static TopicKind kind_of(const char *line, size_t *mark) {
    static const struct {
        const char *mark;
        TopicKind kind;
    } MARKS[] = {{"# ", TOPIC_TITLE}, {"## ", TOPIC_HEADING}, {"- ", TOPIC_ITEM}};
    *mark = 0;
    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++) {
        if (!begins(line, MARKS[i].mark)) continue;
        *mark = strlen(MARKS[i].mark);
        return MARKS[i].kind;
    }
    if (begins(line, "    ")) return TOPIC_EXAMPLE; /* its indent stays: every line of it has one */
    return line[0] == '|' ? TOPIC_TABLE : TOPIC_PARAGRAPH;
}

/* Whether a line belongs to the block before it. */
static bool goes_on(TopicKind kind, const char *line) {
    size_t mark;
    if (kind == TOPIC_TITLE || kind == TOPIC_HEADING || line[0] == '\n' || line[0] == '\0') return false;
    if (kind == TOPIC_ITEM) return begins(line, "  ");
    return kind_of(line, &mark) == kind;
}

bool topic_next(const char **text, TopicBlock *block) {
    size_t mark;
    const char *line = *text + strspn(*text, "\n");
    if (*line == '\0') return false;
    block->kind = kind_of(line, &mark);
    block->text = line + mark;
    const char *end = end_of_line(line);
    while (*end == '\n' && goes_on(block->kind, end + 1)) end = end_of_line(end + 1);
    block->bytes = (size_t)(end - block->text);
    *text = end;
    return true;
}

TopicBlock topic_title(const char *text) {
    TopicBlock block = {.kind = TOPIC_TITLE, .text = ""};
    (void)topic_next(&text, &block);
    return block;
}
