#include "tests/bench/peer.h"

#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct Peer {
    pid_t child;
    FILE *orders, *answers;
};

/* ---- the process ---- */

/* Its libraries are given their threads, and may keep what they compile, by the environment. */
static Status spawn(const char *python, unsigned threads, int orders[2], int answers[2], pid_t *child,
                    Error *error) {
    posix_spawn_file_actions_t actions;
    char count[16];
    char *words[] = {(char *)python, TESTS_DIR "/bench/peers/peers.py", NULL};
    (void)snprintf(count, sizeof count, "%u", threads);
    if (setenv("OMP_NUM_THREADS", count, 1) != 0 || unsetenv("PYTHONDONTWRITEBYTECODE") != 0)
        return memory_fail(error, "the environment");
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed == 0) failed = posix_spawn_file_actions_adddup2(&actions, orders[0], STDIN_FILENO);
    if (failed == 0) failed = posix_spawn_file_actions_adddup2(&actions, answers[1], STDOUT_FILENO);
    if (failed == 0) failed = posix_spawn(child, python, &actions, NULL, words, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed == 0 ? STATUS_OK : status_fail_errno(error, failed, "%s: cannot be run", python);
}

static Status start(Peer *peer, const char *python, unsigned threads, Error *error) {
    int orders[2], answers[2];
    if (pipe2(orders, O_CLOEXEC) != 0) return status_fail_errno(error, errno, "a pipe");
    if (pipe2(answers, O_CLOEXEC) != 0) {
        (void)close(orders[0]), (void)close(orders[1]);
        return status_fail_errno(error, errno, "a pipe");
    }
    Status status = spawn(python, threads, orders, answers, &peer->child, error);
    if (status != STATUS_OK) peer->child = 0;
    (void)close(orders[0]), (void)close(answers[1]);
    peer->orders = fdopen(orders[1], "w");
    peer->answers = fdopen(answers[0], "r");
    if (peer->orders == NULL) (void)close(orders[1]);
    if (peer->answers == NULL) (void)close(answers[0]);
    if (status == STATUS_OK && (peer->orders == NULL || peer->answers == NULL))
        status = memory_fail(error, "a peer");
    return status;
}

Status peer_open(const char *folder, unsigned threads, Peer **peer, Error *error) {
    char *python = memory_format("%s/bin/python", folder);
    Peer *made = memory_allocate(1, sizeof *made);
    *peer = NULL;
    if (python == NULL || made == NULL) {
        free(python);
        free(made);
        return memory_fail(error, "a peer");
    }
    (void)signal(SIGPIPE, SIG_IGN); /* one that is gone is seen where it is written to */
    Status status = start(made, python, threads, error);
    free(python);
    if (status == STATUS_OK)
        *peer = made;
    else
        peer_close(made);
    return status;
}

void peer_close(Peer *peer) {
    if (peer == NULL) return;
    if (peer->orders != NULL) (void)fclose(peer->orders); /* at whose end it stops */
    if (peer->answers != NULL) (void)fclose(peer->answers);
    if (peer->child > 0) (void)waitpid(peer->child, NULL, 0);
    free(peer);
}

/* ---- orders and answers ---- */

/* "ok", "missing" or "failed", and what follows. */
static Status understand(char *line, const char *order, PeerAnswer *answer, Error *error) {
    line[strcspn(line, "\n")] = '\0';
    char *rest = line + strcspn(line, "\t");
    if (*rest != '\0') *rest++ = '\0';
    if (strcmp(line, "missing") == 0) return status_fail(error, STATUS_UNSUPPORTED, "not installed");
    if (strcmp(line, "ok") != 0) return status_fail(error, STATUS_MISMATCH, "%s: %s", order, rest);
    *answer = (PeerAnswer){0};
    for (char *at = rest, *end; answer->count < PEER_NUMBERS; at = end) {
        answer->numbers[answer->count] = strtod(at, &end);
        if (end == at) break;
        answer->count++;
    }
    for (char *at = rest; *at != '\0'; at++) *at = *at == '\t' ? ' ' : *at;
    (void)snprintf(answer->text, sizeof answer->text, "%s", rest);
    return STATUS_OK;
}

Status peer_ask(Peer *peer, const char *const *words, PeerAnswer *answer, Error *error) {
    char line[1024];
    for (size_t i = 0; words[i] != NULL; i++)
        (void)fprintf(peer->orders, "%s%s", i == 0 ? "" : "\t", words[i]);
    (void)fputc('\n', peer->orders);
    if (fflush(peer->orders) != 0 || fgets(line, sizeof line, peer->answers) == NULL)
        return status_fail(error, STATUS_IO, "%s: the process of the peers is gone", words[0]);
    return understand(line, words[0], answer, error);
}

Status peer_tell(Peer *peer, const char *order, const char *word, PeerAnswer *answer, Error *error) {
    return peer_ask(peer, (const char *const[]){order, word, NULL}, answer, error);
}

bool peer_is_left_out(Bench *bench, const char *name, Status status, const Error *error) {
    if (status != STATUS_UNSUPPORTED && status != STATUS_MISMATCH && status != STATUS_IO) return false;
    char text[PEER_TEXT];
    (void)snprintf(text, sizeof text, "%s: %.150s", name, error->message);
    report_note(&bench->report, "left out", text);
    return true;
}
