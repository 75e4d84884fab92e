/* What the library keeps for each thread of its callers; not installed. */
#ifndef WINNOW_DOOR_H
#define WINNOW_DOOR_H

/* The error of this thread's last call; NULL when it had none. */
const char *door_error(void);
/* What was told in this thread's last call beside its answer; NULL when nothing was. */
const char *door_notes(void);
/* Keep a copy of a text for this thread until the next; NULL takes it away. */
void door_keep_error(const char *text);
void door_keep_notes(const char *text);

/* malloc and free, by names of our own. */
void *door_allocate(__SIZE_TYPE__ size);
void door_free(void *memory);

#endif
