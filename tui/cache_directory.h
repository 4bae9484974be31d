/*
 * cache_directory — where this user's kept analyses are: $XDG_CACHE_HOME/rejuv, else ~/.cache/rejuv. A relative
 * XDG_CACHE_HOME is none, as its specification has it.
 */
#ifndef REJUV_TUI_CACHE_DIRECTORY_H
#define REJUV_TUI_CACHE_DIRECTORY_H

/* The caller frees it; NULL where there is no such place. Nothing is made. */
char *cache_directory_find(void);

#endif
