#include "door.h"
#include "winnow.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// A thread's own: freed when the thread ends.
static pthread_key_t key;
static int has_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_key(void) { has_key = pthread_key_create(&key, free) == 0; }

const char *door_error(void) {
    pthread_once(&once, make_key);
    return has_key ? pthread_getspecific(key) : NULL;
}

void door_keep_error(const char *text) {
    char *before = (char *)door_error();
    if (!has_key || (!before && !text)) return;
    char *copy = text ? strdup(text) : NULL;
    if (pthread_setspecific(key, copy) != 0) {
        free(copy);
        return;
    }
    free(before);
}

void *door_allocate(size_t size) { return malloc(size); }

void door_free(void *memory) { free(memory); }

// The Swift runtime's only need of glibc 2.35, in a library that runs on 2.34. A hidden function is bound
// before glibc's.
__attribute__((visibility("hidden"))) float hypotf(float x, float y) {
    return (float)__builtin_sqrt((double)x * x + (double)y * y);
}
