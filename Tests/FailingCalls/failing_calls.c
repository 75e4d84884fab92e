#define _GNU_SOURCE
#include "failing_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(__linux__)

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int forbid_io_uring(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#else

int forbid_io_uring(void) { return 0; }

#endif

#if defined(__GLIBC__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

bool calls_can_fail(void) { return true; }

static char folder[512];
static atomic_int active, calls;
static enum failing_mode mode;
static int first, times, code;
static _Thread_local int interrupted;

void failing_calls_begin(const char *path, enum failing_mode how, int call, int count, int error) {
    snprintf(folder, sizeof folder, "%s", path);
    mode = how;
    first = call;
    times = count;
    code = error;
    atomic_store(&calls, 0);
    atomic_store(&active, 1);
}

int failing_calls_end(void) {
    atomic_store(&active, 0);
    return atomic_load(&calls);
}

static int concerns(const char *path) { return path && strncmp(path, folder, strlen(folder)) == 0; }

// Whether the call fails now; errno is set.
static int fails(const char *path) {
    if (!atomic_load(&active) || !concerns(path)) return 0;
    int call = atomic_fetch_add(&calls, 1) + 1;
    if (mode == failing_with_code && call >= first && call - first < times) return errno = code, 1;
    if (mode == failing_interrupted && (interrupted = !interrupted)) return errno = EINTR, 1;
    return 0;
}

// Where a descriptor leads, nothing while no calls fail.
static const char *path_of(int descriptor, char path[512]) {
    if (!atomic_load(&active)) return NULL;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, 511);
    if (length < 0) return NULL;
    path[length] = 0;
    return path;
}

static int fails_on(int descriptor) {
    char path[512];
    return fails(path_of(descriptor, path));
}

// How much of `n` bytes is done.
static size_t allowed(int descriptor, size_t n) {
    char path[512];
    return mode == failing_short && n > 1 && concerns(path_of(descriptor, path)) ? (n + 1) / 2 : n;
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

int open(const char *path, int flags, ...) {
    static int (*real)(const char *, int, ...);
    if (!real) real = REAL("open", int (*)(const char *, int, ...));
    va_list list;
    va_start(list, flags);
    mode_t permissions = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
    va_end(list);
    return fails(path) ? -1 : real(path, flags, permissions);
}

ssize_t write(int descriptor, const void *bytes, size_t n) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = REAL("write", ssize_t(*)(int, const void *, size_t));
    return fails_on(descriptor) ? -1 : real(descriptor, bytes, allowed(descriptor, n));
}

ssize_t read(int descriptor, void *bytes, size_t n) {
    static ssize_t (*real)(int, void *, size_t);
    if (!real) real = REAL("read", ssize_t(*)(int, void *, size_t));
    return fails_on(descriptor) ? -1 : real(descriptor, bytes, allowed(descriptor, n));
}

#define ON_DESCRIPTOR(name)                                                                                            \
    int name(int descriptor) {                                                                                         \
        static int (*real)(int);                                                                                       \
        if (!real) real = REAL(#name, int (*)(int));                                                                   \
        return fails_on(descriptor) ? -1 : real(descriptor);                                                           \
    }
ON_DESCRIPTOR(fsync)
ON_DESCRIPTOR(fdatasync)

int flock(int descriptor, int operation) {
    static int (*real)(int, int);
    if (!real) real = REAL("flock", int (*)(int, int));
    return fails_on(descriptor) ? -1 : real(descriptor, operation);
}

void *mmap(void *at, size_t length, int protection, int flags, int descriptor, off_t offset) {
    static void *(*real)(void *, size_t, int, int, int, off_t);
    if (!real) real = REAL("mmap", void *(*)(void *, size_t, int, int, int, off_t));
    int failed = descriptor >= 0 && mode == failing_with_code && fails_on(descriptor);
    return failed ? (void *)-1 : real(at, length, protection, flags, descriptor, offset);
}

// These are not interrupted: no file system does that.
#define ON_PATH(name, parameters, arguments, path)                                                                     \
    int name parameters {                                                                                              \
        static int(*real) parameters;                                                                                  \
        if (!real) real = REAL(#name, int(*) parameters);                                                              \
        return mode == failing_with_code && fails(path) ? -1 : real arguments;                                         \
    }
ON_PATH(link, (const char *from, const char *to), (from, to), to)
ON_PATH(unlink, (const char *path), (path), path)
ON_PATH(mkdir, (const char *path, mode_t permissions), (path, permissions), path)

#else

bool calls_can_fail(void) { return false; }
void failing_calls_begin(const char *path, enum failing_mode how, int call, int count, int error) {}
int failing_calls_end(void) { return 0; }

#endif
