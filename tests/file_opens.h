/*
 * file_opens — how often a file is opened while a test does something, by this process or any other: who reads
 * a file once cannot be told two things by it, even if it is replaced meanwhile.
 */
#ifndef REJUV_TESTS_FILE_OPENS_H
#define REJUV_TESTS_FILE_OPENS_H

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cmocka.h>

/* Begins to count the times that the file of this name is opened. */
static inline int file_opens_watch(const char *path) {
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(watch >= 0);
    /* equal events that follow each other are one, so that closing has to stand between two */
    assert_true(inotify_add_watch(watch, path, IN_OPEN | IN_CLOSE) >= 0);
    return watch;
}

/* How often it was since; ends the counting. */
static inline size_t file_opens_count(int watch) {
    alignas(struct inotify_event) char events[1 << 16];
    size_t opens = 0;
    ssize_t bytes;
    while ((bytes = read(watch, events, sizeof events)) > 0) {
        for (char *at = events; at < events + bytes;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
            opens += (event->mask & IN_OPEN) != 0;
            at += sizeof *event + event->len;
        }
    }
    (void)close(watch);
    return opens;
}

#endif
