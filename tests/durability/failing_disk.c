/*
 * Makes calls on the files of one folder fail with EIO from the moment that a file is there, as a
 * disk does that has gone bad. It is loaded before the C library.
 *
 *   FAILING_FOLDER    the folder
 *   FAILING_TRIGGER   the file: while it exists, the calls fail
 *   FAILING_CALL      sync: fsync and fdatasync; range: sync_file_range; write: pwrite
 *   FAILING_FILE      the end of the path of the files that are meant; all, if it is empty
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The C library's own function of this name. */
#define NEXT(name)                                                                                 \
    static __typeof__(&name) next;                                                                 \
    if (!next)                                                                                     \
        next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int fails(const char *call, int fd) {
    const char *folder = getenv("FAILING_FOLDER"), *trigger = getenv("FAILING_TRIGGER");
    const char *meant = getenv("FAILING_CALL"), *file = getenv("FAILING_FILE");
    if (!folder || !trigger || !meant || !file || strcmp(call, meant) || access(trigger, F_OK))
        return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    size_t whole = (size_t)length, end = strlen(file);
    if (strncmp(path, folder, strlen(folder)) || whole < end || strcmp(path + whole - end, file))
        return 0;
    errno = EIO;
    return 1;
}

int fsync(int fd) {
    NEXT(fsync);
    return fails("sync", fd) ? -1 : next(fd);
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    return fails("sync", fd) ? -1 : next(fd);
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned int flags) {
    NEXT(sync_file_range);
    return fails("range", fd) ? -1 : next(fd, offset, length, flags);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    NEXT(pwrite64);
    return fails("write", fd) ? -1 : next(fd, bytes, length, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return pwrite64(fd, bytes, length, offset);
}
