#include "door.h"
#include "winnow.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// A thread's own texts: freed when the thread ends.
static pthread_key_t keys[2];
static int has_keys;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_keys(void) {
    has_keys = pthread_key_create(&keys[0], free) == 0 && pthread_key_create(&keys[1], free) == 0;
}

static char *kept(int which) {
    pthread_once(&once, make_keys);
    return has_keys ? pthread_getspecific(keys[which]) : NULL;
}

static void keep(int which, const char *text) {
    char *before = kept(which);
    if (!has_keys || (!before && !text)) return;
    char *copy = text ? strdup(text) : NULL;
    if (pthread_setspecific(keys[which], copy) != 0) {
        free(copy);
        return;
    }
    free(before);
}

const char *door_error(void) { return kept(0); }

const char *door_notes(void) { return kept(1); }

void door_keep_error(const char *text) { keep(0, text); }

void door_keep_notes(const char *text) { keep(1, text); }

void *door_allocate(size_t size) { return malloc(size); }

void door_free(void *memory) { free(memory); }

// The Swift runtime's only need of glibc 2.35, in a library that runs on 2.34. A hidden function is bound
// before glibc's.
__attribute__((visibility("hidden"))) float hypotf(float x, float y) {
    return (float)__builtin_sqrt((double)x * x + (double)y * y);
}
