#include "core/readiness/reward_command.h"

#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MILLISECONDS = 100, READ_BYTES = 4096, LINE_LIMIT = 4096 };

/* A command that is running. */
typedef struct RewardCommand Conversation;
struct RewardCommand {
    const char *command;
    pid_t child;                 /* and its process group; 0: it has been waited for */
    int to, from;                /* pipes; -1: closed */
    int errors;                  /* what it says on standard error; -1: that goes where this program's goes */
    Buffer line;                 /* what is written: a line, from `written` on */
    size_t written, sent;        /* lines that were written, whole */
    size_t group, sample;        /* the next that is */
    char answer[LINE_LIMIT + 1]; /* what is read: a line that has not ended */
    size_t answer_bytes;
    double *rewards; /* [capacity], of which `received` are there and `taken` told */
    size_t lines, capacity, received, taken;
    double silence, last; /* seconds */
    const SampleSet *set; /* whose samples are the lines; NULL: they are sent one by one, */
    bool is_last;         /* until the last was */
};

static double now(void) {
    struct timespec time = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &time); /* always there */
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void close_pipe(int *pipe_end) {
    if (*pipe_end >= 0) (void)close(*pipe_end);
    *pipe_end = -1;
}

/* ---- starting and ending ---- */

/* With the signals as a program expects them, in a group of its own. */
static int spawn(const char *command, int in, int out, int errors, pid_t *child) {
    extern char **environ;
    char *const words[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    (void)sigemptyset(&none); /* neither fails */
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    (void)sigaddset(&usual, SIGINT);
    (void)sigaddset(&usual, SIGTERM);
    int problem = posix_spawn_file_actions_init(&actions);
    if (problem != 0) return problem;
    problem = posix_spawnattr_init(&attributes);
    if (problem == 0) {
        problem = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
        if (problem == 0) problem = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        if (problem == 0 && errors >= 0)
            problem = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
        if (problem == 0) problem = posix_spawnattr_setsigmask(&attributes, &none);
        if (problem == 0) problem = posix_spawnattr_setsigdefault(&attributes, &usual);
        if (problem == 0) problem = posix_spawnattr_setpgroup(&attributes, 0);
        if (problem == 0)
            problem = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                                POSIX_SPAWN_SETPGROUP);
        if (problem == 0) problem = posix_spawn(child, "/bin/sh", &actions, &attributes, words, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return problem;
}

static Status start(Conversation *conversation, Error *error) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0) return status_fail_errno(error, errno, "a pipe to the reward command");
    if (pipe2(out, O_CLOEXEC) != 0) {
        int problem = errno;
        (void)close(in[0]);
        (void)close(in[1]);
        return status_fail_errno(error, problem, "a pipe from the reward command");
    }
    int problem = spawn(conversation->command, in[0], out[1], conversation->errors, &conversation->child);
    (void)close(in[0]);
    (void)close(out[1]);
    conversation->to = in[1];
    conversation->from = out[0];
    if (problem != 0) {
        conversation->child = 0;
        return status_fail_errno(error, problem, "the reward command cannot be started");
    }
    if (fcntl(in[1], F_SETFL, O_NONBLOCK) != 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) != 0)
        return status_fail_errno(error, errno, "a pipe to the reward command");
    conversation->last = now();
    return STATUS_OK;
}

static void finish(Conversation *conversation) {
    close_pipe(&conversation->to);
    close_pipe(&conversation->from);
    if (conversation->child > 0) {
        (void)kill(-conversation->child, SIGKILL); /* with all that it started */
        while (waitpid(conversation->child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    close_pipe(&conversation->errors);
    buffer_free(&conversation->line);
}

/* Adds the last line that it said on standard error to a message about it. */
static Status add_said(const Conversation *conversation, Status status, Error *error) {
    enum { TAIL = 512 };
    char tail[TAIL + 1];
    struct stat facts;
    if (error == NULL || conversation->errors < 0 || fstat(conversation->errors, &facts) != 0) return status;
    off_t from = facts.st_size > TAIL ? facts.st_size - TAIL : 0;
    ssize_t bytes = pread(conversation->errors, tail, TAIL, from);
    while (bytes > 0 && (tail[bytes - 1] == '\n' || tail[bytes - 1] == ' ')) bytes--;
    if (bytes <= 0) return status;
    tail[bytes] = '\0';
    const char *line = strrchr(tail, '\n');
    size_t used = strlen(error->message);
    (void)snprintf(error->message + used, sizeof error->message - used, "; it said \"%s\"",
                   line != NULL ? line + 1 : tail);
    return status;
}

static Status fail_line(const Conversation *conversation, const char *what, Error *error) {
    return status_fail(error, STATUS_FORMAT, "the reward command, line %zu: %s", conversation->received + 1,
                       what);
}

static Status fail_end(const Conversation *conversation, int status, Error *error) {
    const char *when =
        conversation->received < conversation->lines ? "before it answered" : "after its answer";
    size_t line =
        conversation->received < conversation->lines ? conversation->received + 1 : conversation->lines;
    if (WIFSIGNALED(status))
        return status_fail(error, STATUS_FORMAT,
                           "the reward command, line %zu: it ended by signal %d (%s) %s", line,
                           WTERMSIG(status), strsignal(WTERMSIG(status)), when);
    return status_fail(error, STATUS_FORMAT, "the reward command, line %zu: it ended with status %d %s", line,
                       WIFEXITED(status) ? WEXITSTATUS(status) : -1, when);
}

/* ---- lines out ---- */

static void add_text(Buffer *line, const char *key, const char *text) {
    buffer_add_format(line, "\"%s\": ", key);
    if (text == NULL)
        buffer_add_text(line, "null");
    else
        buffer_add_quoted(line, text);
}

static void add_line(Buffer *line, const char *prompt, const char *response, const char *answer) {
    buffer_add_text(line, "{");
    add_text(line, "prompt", prompt);
    buffer_add_text(line, ", ");
    add_text(line, "response", response);
    buffer_add_text(line, ", ");
    add_text(line, "answer", answer);
    buffer_add_text(line, "}\n");
}

/* The next sample's line; nothing behind the last. */
static Status make_line(Conversation *conversation, Error *error) {
    const SampleSet *set = conversation->set;
    buffer_free(&conversation->line);
    conversation->line = (Buffer){0};
    conversation->written = 0;
    if (set == NULL) return STATUS_OK;
    while (conversation->group < set->count &&
           conversation->sample == set->groups[conversation->group].sample_count) {
        conversation->group++;
        conversation->sample = 0;
    }
    if (conversation->group == set->count) return STATUS_OK;
    const SampleGroup *group = &set->groups[conversation->group];
    add_line(&conversation->line, group->prompt, group->samples[conversation->sample++].text, group->answer);
    return conversation->line.failed ? memory_fail(error, "a line for the reward command") : STATUS_OK;
}

/* A command that no longer reads is no signal here: this thread does not take it, and it is taken back. */
static ssize_t write_quietly(int descriptor, const char *bytes, size_t size) {
    sigset_t pipe_signal, before, pending;
    const struct timespec at_once = {0};
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    bool was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t written = write(descriptor, bytes, size);
    int problem = errno;
    if (written < 0 && problem == EPIPE && !was_pending) (void)sigtimedwait(&pipe_signal, NULL, &at_once);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = problem;
    return written;
}

/* Writes what the pipe takes; closes it behind the last line, or where nobody reads any more. */
static Status send_lines(Conversation *conversation, Error *error) {
    for (;;) {
        if (conversation->written == conversation->line.length) {
            Status status = make_line(conversation, error);
            if (status != STATUS_OK) return status;
            if (conversation->line.length == 0) {
                if (conversation->set != NULL || conversation->is_last) close_pipe(&conversation->to);
                return STATUS_OK;
            }
        }
        ssize_t written = write_quietly(conversation->to, conversation->line.text + conversation->written,
                                        conversation->line.length - conversation->written);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return STATUS_OK;
        if (written < 0) {
            close_pipe(&conversation->to); /* its answers, or its end, say why */
            return STATUS_OK;
        }
        conversation->written += (size_t)written;
        conversation->last = now();
    }
}

/* ---- answers in ---- */

static Status take_answer(Conversation *conversation, Error *error) {
    char *end, *text = conversation->answer;
    text[conversation->answer_bytes] = '\0';
    if (strlen(text) < conversation->answer_bytes)
        return fail_line(conversation, "found a NUL in its answer", error);
    if (conversation->received == conversation->lines)
        return status_fail(error, STATUS_FORMAT,
                           "the reward command: expected %zu answers, found more: \"%.80s\"",
                           conversation->lines, text);
    double value = strtod(text, &end);
    bool is_number = end != text;
    while (*end == ' ' || *end == '\t' || *end == '\r') end++;
    if (!is_number || *end != '\0' || !isfinite(value))
        return status_fail(error, STATUS_FORMAT,
                           "the reward command, line %zu: expected a number, found \"%.80s\"",
                           conversation->received + 1, text);
    conversation->rewards[conversation->received++] = value;
    conversation->answer_bytes = 0;
    return STATUS_OK;
}

static Status take_bytes(Conversation *conversation, const char *bytes, size_t size, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < size && status == STATUS_OK; i++) {
        if (bytes[i] == '\n') {
            status = take_answer(conversation, error);
            continue;
        }
        if (conversation->answer_bytes == LINE_LIMIT)
            return fail_line(conversation, "its answer is too long", error);
        conversation->answer[conversation->answer_bytes++] = bytes[i];
    }
    return status;
}

/* Reads what is there; closes the pipe at its end. A last answer may lack its newline. */
static Status receive(Conversation *conversation, Error *error) {
    char bytes[READ_BYTES];
    for (;;) {
        ssize_t read_bytes = read(conversation->from, bytes, sizeof bytes);
        if (read_bytes < 0 && errno == EINTR) continue;
        if (read_bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return STATUS_OK;
        if (read_bytes < 0) return status_fail_errno(error, errno, "the reward command's answers");
        if (read_bytes == 0) {
            close_pipe(&conversation->from);
            return conversation->answer_bytes > 0 ? take_answer(conversation, error) : STATUS_OK;
        }
        conversation->last = now();
        Status status = take_bytes(conversation, bytes, (size_t)read_bytes, error);
        if (status != STATUS_OK) return status;
    }
}

/* ---- the conversation ---- */

static Status check_silence(const Conversation *conversation, Error *error) {
    if (now() - conversation->last < conversation->silence) return STATUS_OK;
    return status_fail(
        error, STATUS_FORMAT, "the reward command, line %zu: it has been silent for %g seconds",
        conversation->received < conversation->lines ? conversation->received + 1 : conversation->lines,
        conversation->silence);
}

/* Writes and reads what can be within so long. */
static Status exchange(Conversation *conversation, int milliseconds, Error *error) {
    struct pollfd ends[] = {{.fd = conversation->from, .events = POLLIN},
                            {.fd = conversation->to, .events = POLLOUT}}; /* -1 is passed over */
    int ready = poll(ends, 2, milliseconds);
    if (ready < 0 && errno != EINTR) return status_fail_errno(error, errno, "the reward command");
    Status status = STATUS_OK;
    if (ready > 0 && ends[1].revents != 0) status = send_lines(conversation, error);
    if (status == STATUS_OK && ready > 0 && ends[0].revents != 0) status = receive(conversation, error);
    return status;
}

static Status talk(Conversation *conversation, Job *job, Error *error) {
    Status status = STATUS_OK;
    while (status == STATUS_OK && conversation->from >= 0) {
        if (!job_report(job, "reward command", conversation->received, conversation->lines))
            return job_cancelled(error);
        status = exchange(conversation, POLL_MILLISECONDS, error);
        if (status == STATUS_OK) status = check_silence(conversation, error);
    }
    return status;
}

/* What it ends with, once its answers have ended. It is looked at before it is waited for: until then its group's number
 * is no one else's. */
static Status wait_for_end(Conversation *conversation, Job *job, Error *error) {
    int status = 0;
    close_pipe(&conversation->to);
    for (;;) {
        siginfo_t facts = {0};
        if (waitid(P_PID, (id_t)conversation->child, &facts, WEXITED | WNOHANG | WNOWAIT) != 0 &&
            errno != EINTR)
            return status_fail_errno(error, errno, "the reward command");
        if (facts.si_pid != 0) break;
        if (job_is_cancelled(job)) return job_cancelled(error);
        Status silent = check_silence(conversation, error);
        if (silent != STATUS_OK) return silent;
        (void)poll(NULL, 0, POLL_MILLISECONDS / 10);
    }
    bool is_whole = conversation->received == conversation->lines;
    if (!is_whole) (void)kill(-conversation->child, SIGKILL); /* what it has left behind */
    while (waitpid(conversation->child, &status, 0) < 0 && errno == EINTR) {
    }
    conversation->child = 0;
    return is_whole && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? STATUS_OK
                                                                     : fail_end(conversation, status, error);
}

Status reward_command_apply(const char *command, double silence, SampleSet *set, Job *job, Error *error) {
    Conversation *conversation = memory_allocate(1, sizeof *conversation);
    if (conversation == NULL) return memory_fail(error, "the reward command");
    *conversation = (Conversation){.command = command,
                                   .to = -1,
                                   .from = -1,
                                   .errors = -1,
                                   .lines = sample_set_samples(set),
                                   .silence = silence,
                                   .set = set};
    conversation->rewards = memory_allocate(conversation->lines, sizeof *conversation->rewards);
    Status status = conversation->rewards == NULL ? memory_fail(error, "the reward command") : STATUS_OK;
    if (status == STATUS_OK) status = start(conversation, error);
    if (status == STATUS_OK) status = talk(conversation, job, error);
    if (status == STATUS_OK) status = wait_for_end(conversation, job, error);
    finish(conversation);
    size_t at = 0;
    for (size_t g = 0; g < set->count && status == STATUS_OK; g++) {
        for (size_t i = 0; i < set->groups[g].sample_count; i++)
            set->groups[g].samples[i].reward = conversation->rewards[at++];
    }
    free(conversation->rewards);
    free(conversation);
    return status;
}

/* ---- one by one ---- */

Status reward_command_open(const char *command, double silence, RewardCommand **opened, Error *error) {
    Conversation *conversation = memory_allocate(1, sizeof *conversation);
    *opened = conversation;
    if (conversation == NULL) return memory_fail(error, "the reward command");
    *conversation =
        (Conversation){.command = command, .to = -1, .from = -1, .errors = -1, .silence = silence};
    conversation->errors = memfd_create("reward command", MFD_CLOEXEC); /* -1: it has nowhere to be kept */
    Status status = start(conversation, error);
    if (status == STATUS_OK) return status;
    reward_command_close(conversation);
    *opened = NULL;
    return status;
}

void reward_command_close(RewardCommand *conversation) {
    if (conversation == NULL) return;
    finish(conversation);
    free(conversation->rewards);
    free(conversation);
}

Status reward_command_poll(RewardCommand *conversation, Job *job, Error *error) {
    Status status = exchange(conversation, 0, error);
    bool has_ended = conversation->from < 0 && conversation->child > 0;
    if (status == STATUS_OK && has_ended) status = wait_for_end(conversation, job, error);
    return status == STATUS_OK || status == STATUS_CANCELLED ? status : add_said(conversation, status, error);
}

Status reward_command_send(RewardCommand *conversation, const char *prompt, const char *response,
                           const char *answer, Job *job, Error *error) {
    Status status =
        MEMORY_RESERVE(conversation->rewards, &conversation->capacity, conversation->lines + 1, error);
    if (status != STATUS_OK) return status;
    if (conversation->written == conversation->line.length) status = make_line(conversation, error);
    add_line(&conversation->line, prompt, response, answer);
    if (conversation->line.failed) status = memory_fail(error, "a line for the reward command");
    conversation->lines++;
    return status == STATUS_OK ? reward_command_poll(conversation, job, error) : status;
}

bool reward_command_take(RewardCommand *conversation, double *reward) {
    if (conversation->taken == conversation->received) return false;
    *reward = conversation->rewards[conversation->taken++];
    return true;
}

Status reward_command_end(RewardCommand *conversation, Job *job, Error *error) {
    conversation->is_last = true;
    conversation->last = now();
    Status status = talk(conversation, job, error);
    if (status == STATUS_OK) status = wait_for_end(conversation, job, error);
    return status == STATUS_OK || status == STATUS_CANCELLED ? status : add_said(conversation, status, error);
}
