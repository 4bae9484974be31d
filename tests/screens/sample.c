/*
 * sample — a small program that does on purpose what the screen tests' machinery must see: it proves the
 * machinery (harness/), not rejuv.
 *
 *     c colours   w wide characters and lines   r long runs   a attributes   arrows and other keys by name
 *     t compute for a second, then say so   q leave with status 3   x leave without restoring the terminal
 */
#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void draw_frame(void) {
    erase();
    mvprintw(0, 0, "sample %dx%d", COLS, LINES);
    mvprintw(1, 0, "pid %07ld of no interest", (long)getpid());
    mvprintw(LINES - 1, 0, "q quit");
}

static void draw_colours(void) {
    for (short i = 1; i < 8; i++) {
        init_pair(i, i, -1);
        attron(COLOR_PAIR(i));
        mvaddstr(3, 3 * i, "##");
        attroff(COLOR_PAIR(i));
    }
    if (COLORS < 256) return;
    init_pair(8, 196, 17);
    attron(COLOR_PAIR(8));
    mvaddstr(3, 30, "rich");
    attroff(COLOR_PAIR(8));
}

static void draw_attributes(void) {
    mvaddstr(4, 0, "plain ");
    attron(A_BOLD);
    addstr("strong ");
    attroff(A_BOLD);
    attron(A_REVERSE);
    addstr("turned ");
    attroff(A_REVERSE);
    attron(A_UNDERLINE);
    addstr("lined");
    attroff(A_UNDERLINE);
}

static void draw_key(int key) {
    const char *name = keyname(key);
    mvprintw(2, 0, "key %s", name == NULL ? "?" : name);
    clrtoeol();
}

/* Busy but silent for a second: not quiet, though nothing is sent. */
static void compute(void) {
    clock_t end = clock() + CLOCKS_PER_SEC;
    while (clock() < end) continue;
    mvaddstr(5, 0, "computed");
}

/* A whole line, and one whose last column has another character. */
static void draw_runs(void) {
    mvhline(7, 0, '=', COLS);
    mvhline(8, 0, '-', COLS - 1);
    mvaddch(8, COLS - 1, '|');
}

static void act(int key) {
    if (key == KEY_RESIZE) draw_frame();
    draw_key(key);
    if (key == 'c') draw_colours();
    if (key == 'w') mvaddstr(6, 0, "│\xe4\xbd\xa0\xe5\xa5\xbd│ e\xcc\x81 ▁▂▃▄▅▆▇█ ░▒▓ ▀▄");
    if (key == 'r') draw_runs();
    if (key == 'a') draw_attributes();
    if (key == 't') compute();
}

int main(void) {
    (void)setlocale(LC_ALL, "");
    if (initscr() == NULL) return EXIT_FAILURE;
    (void)start_color();
    (void)use_default_colors();
    (void)raw();
    (void)noecho();
    (void)keypad(stdscr, TRUE);
    (void)set_escdelay(25);
    draw_frame();
    int key;
    while ((key = getch()) != 'q' && key != ERR) {
        if (key == 'x') _exit(4);
        act(key);
    }
    (void)endwin();
    return key == 'q' ? 3 : 5;
}
