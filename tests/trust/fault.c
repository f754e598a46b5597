/* Makes one call fail, loaded before the C library: the FAULT_WHEN-th call FAULT_CALL that concerns a file below
 * FAULT_BELOW fails with errno FAULT_ERRNO, and FAULT_TOLD is made to say that it did. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int seen;

static int concerns(const char *path) {
    const char *below = getenv("FAULT_BELOW");
    return below && path && strncmp(path, below, strlen(below)) == 0;
}

/* Counts a call; 1 if it has to fail. */
static int fails(const char *call, const char *path) {
    const char *wanted = getenv("FAULT_CALL"), *when = getenv("FAULT_WHEN"), *told = getenv("FAULT_TOLD");
    if (!wanted || !when || strcmp(wanted, call) || !concerns(path)) return 0;
    if (__sync_add_and_fetch(&seen, 1) != atoi(when)) return 0;
    if (told) {
        int fd = syscall(SYS_openat, AT_FDCWD, told, O_CREAT | O_WRONLY, 0600);
        if (fd >= 0) { syscall(SYS_write, fd, path, strlen(path)); syscall(SYS_close, fd); }
    }
    errno = atoi(getenv("FAULT_ERRNO"));
    return 1;
}

static int fails_fd(const char *call, int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(call, path);
}

#define NEXT(name) __typeof__(name) *next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    if (fails("open", path)) return -1;
    NEXT(open64);
    return next(path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    if (fails("open", path)) return -1;
    NEXT(open);
    return next(path, flags, mode);
}
DIR *opendir(const char *path) {
    if (fails("opendir", path)) return NULL;
    NEXT(opendir);
    return next(path);
}
ssize_t write(int fd, const void *bytes, size_t count) {
    if (fails_fd("write", fd)) return -1;
    NEXT(write);
    return next(fd, bytes, count);
}
ssize_t read(int fd, void *bytes, size_t count) {
    if (fails_fd("read", fd)) return -1;
    NEXT(read);
    return next(fd, bytes, count);
}
int fsync(int fd) {
    if (fails_fd("fsync", fd)) return -1;
    NEXT(fsync);
    return next(fd);
}
int fdatasync(int fd) {
    if (fails_fd("fsync", fd)) return -1;
    NEXT(fdatasync);
    return next(fd);
}
int flock(int fd, int operation) {
    if (fails_fd("flock", fd)) return -1;
    int (*next)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    return next(fd, operation);
}
int rename(const char *from, const char *to) {
    if (fails("rename", to)) return -1;
    NEXT(rename);
    return next(from, to);
}
int unlink(const char *path) {
    if (fails("unlink", path)) return -1;
    NEXT(unlink);
    return next(path);
}
int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) {
    if (fails("link", to)) return -1;
    NEXT(linkat);
    return next(from_fd, from, to_fd, to, flags);
}
int mkdir(const char *path, mode_t mode) {
    if (fails("mkdir", path)) return -1;
    NEXT(mkdir);
    return next(path, mode);
}
int statx(int fd, const char *restrict path, int flags, unsigned mask, struct statx *restrict found) {
    /* After a statx that failed, Rust's library asks once with a null path, to learn whether the kernel has it. The
     * header declares that a path is never null, so compilers leave out a plain look at it. */
    const char *volatile given = path;
    const char *of = given;
    if (of && *of ? fails("stat", of) : fails_fd("stat", fd)) return -1;
    NEXT(statx);
    return next(fd, path, flags, mask, found);
}
