/*
 * Records what a process asks of the files in one folder, for a test that takes the power away.
 * It is loaded before the C library, and writes down each call that changes a file or a name, in
 * the order in which they were carried out.
 *
 *   POWERLOSS_FOLDER   the folder
 *   POWERLOSS_RECORD   the file that the record is added to
 *   POWERLOSS_ACKS     a file: what is written to it are acknowledgements, noted among the rest
 *   POWERLOSS_IGNORE   fsync or fdatasync: the call succeeds, and does nothing; or a slash and the
 *                      end of a path: both do nothing for files with that end
 *
 *   entry   kind (1) | inode (8) | number (8) | length (4) | bytes      in the machine's byte order
 *
 *   L  a process begins
 *   D  folder made       inode, bytes: path
 *   C  file made         inode, bytes: path
 *   W  written           inode, number: offset, bytes: what
 *   T  length set        inode, number: length
 *   B  sync begins       inode
 *   S  sync is done      inode, number: which entry of this process began it
 *   R  renamed           bytes: from, 0, to
 *   U  removed           bytes: path
 *   A  acknowledged      bytes: what
 *
 * A call that it does not know of would be missing here; the test finds that out, because the
 * whole record must give the folder as it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *record;
static const char *folder, *acks, *ignore;
static size_t folder_length;
static uint64_t entries;

/* The C library's own function of this name. */
#define NEXT(name)                                                                                 \
    static __typeof__(&name) next;                                                                 \
    if (!next)                                                                                     \
        next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static uint64_t note(char kind, uint64_t inode, uint64_t number, const void *bytes, size_t length) {
    uint32_t short_length = (uint32_t)length;
    fwrite(&kind, 1, 1, record);
    fwrite(&inode, 8, 1, record);
    fwrite(&number, 8, 1, record);
    fwrite(&short_length, 4, 1, record);
    fwrite(bytes, 1, length, record);
    return entries++;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POWERLOSS_RECORD");
    folder = getenv("POWERLOSS_FOLDER");
    acks = getenv("POWERLOSS_ACKS");
    ignore = getenv("POWERLOSS_IGNORE");
    if (!path || !folder || !acks)
        return;
    folder_length = strlen(folder);
    FILE *file = fopen(path, "ae");
    if (!file)
        abort();
    setvbuf(file, NULL, _IOFBF, 1 << 20);
    record = file;
    note('L', 0, 0, "", 0);
}

__attribute__((destructor)) static void end(void) {
    if (!record)
        return;
    /* Never let go: after the record nothing more may happen to the folder. */
    pthread_mutex_lock(&lock);
    if (fclose(record))
        abort();
}

static int is_below(const char *path) {
    return !strncmp(path, folder, folder_length) &&
           (path[folder_length] == '/' || path[folder_length] == 0);
}

/* What a descriptor is to the record: 0 nothing, 1 a file or folder of ours, 2 acknowledgements. */
static int look_up(int fd, char path[PATH_MAX], uint64_t *inode) {
    char link[64];
    struct stat status;
    if (!record)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    if (!strcmp(path, acks))
        return 2;
    if (!is_below(path) || fstat(fd, &status))
        return 0;
    *inode = status.st_ino;
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    NEXT(write);
    char path[PATH_MAX];
    uint64_t inode;
    int what = look_up(fd, path, &inode);
    if (!what)
        return next(fd, bytes, length);
    pthread_mutex_lock(&lock);
    ssize_t done = what == 2 ? (ssize_t)length : next(fd, bytes, length);
    if (what == 2)
        note('A', 0, 0, bytes, length);
    else if (done > 0)
        note('W', inode, (uint64_t)(lseek(fd, 0, SEEK_CUR) - done), bytes, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    NEXT(writev);
    char path[PATH_MAX];
    uint64_t inode;
    if (!look_up(fd, path, &inode))
        return next(fd, pieces, count);
    ssize_t all = 0;
    for (int i = 0; i < count; i++) {
        ssize_t done = write(fd, pieces[i].iov_base, pieces[i].iov_len);
        if (done < 0)
            return all ? all : done;
        all += done;
        if ((size_t)done < pieces[i].iov_len)
            break;
    }
    return all;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    NEXT(pwrite64);
    char path[PATH_MAX];
    uint64_t inode;
    if (look_up(fd, path, &inode) != 1)
        return next(fd, bytes, length, offset);
    pthread_mutex_lock(&lock);
    ssize_t done = next(fd, bytes, length, offset);
    if (done > 0)
        note('W', inode, (uint64_t)offset, bytes, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return pwrite64(fd, bytes, length, offset);
}

int ftruncate64(int fd, off64_t length) {
    NEXT(ftruncate64);
    char path[PATH_MAX];
    uint64_t inode;
    if (look_up(fd, path, &inode) != 1)
        return next(fd, length);
    pthread_mutex_lock(&lock);
    int failed = next(fd, length);
    if (!failed)
        note('T', inode, (uint64_t)length, "", 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int is_ignored(const char *name, const char *path) {
    if (!ignore)
        return 0;
    size_t whole = strlen(path), end = strlen(ignore);
    if (*ignore == '/')
        return whole >= end && !strcmp(path + whole - end, ignore);
    return !strcmp(ignore, name);
}

/* A sync makes durable what was written before it began: what comes while it runs is not in it. */
static int sync_with(int (*next)(int), const char *name, int fd) {
    char path[PATH_MAX];
    uint64_t inode;
    if (look_up(fd, path, &inode) != 1)
        return next(fd);
    if (is_ignored(name, path))
        return 0;
    pthread_mutex_lock(&lock);
    uint64_t begun = note('B', inode, 0, "", 0);
    pthread_mutex_unlock(&lock);
    int failed = next(fd);
    if (failed)
        return failed;
    pthread_mutex_lock(&lock);
    note('S', inode, begun, "", 0);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd) {
    NEXT(fsync);
    return sync_with(next, "fsync", fd);
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    return sync_with(next, "fdatasync", fd);
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    if (!record || !is_below(from))
        return next(from, to);
    char both[2 * PATH_MAX];
    size_t first = strlen(from) + 1, second = strlen(to);
    memcpy(both, from, first);
    memcpy(both + first, to, second);
    pthread_mutex_lock(&lock);
    int failed = next(from, to);
    if (!failed)
        note('R', 0, 0, both, first + second);
    pthread_mutex_unlock(&lock);
    return failed;
}

int unlink(const char *path) {
    NEXT(unlink);
    if (!record || !is_below(path))
        return next(path);
    pthread_mutex_lock(&lock);
    int failed = next(path);
    if (!failed)
        note('U', 0, 0, path, strlen(path));
    pthread_mutex_unlock(&lock);
    return failed;
}

/* Of files alone: a directory that stays is empty, and means nothing. */
int unlinkat(int directory, const char *name, int flags) {
    NEXT(unlinkat);
    char path[PATH_MAX], link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!record || flags || name[0] == '/' || length < 0)
        return next(directory, name, flags);
    snprintf(path + length, sizeof path - (size_t)length, "/%s", name);
    if (!is_below(path))
        return next(directory, name, flags);
    pthread_mutex_lock(&lock);
    int failed = next(directory, name, flags);
    if (!failed)
        note('U', 0, 0, path, strlen(path));
    pthread_mutex_unlock(&lock);
    return failed;
}

int mkdir(const char *path, mode_t mode) {
    NEXT(mkdir);
    if (!record || !is_below(path))
        return next(path, mode);
    struct stat status;
    pthread_mutex_lock(&lock);
    int failed = next(path, mode);
    if (!failed && !stat(path, &status))
        note('D', status.st_ino, 0, path, strlen(path));
    pthread_mutex_unlock(&lock);
    return failed;
}

static int open_with(int (*next)(int, const char *, int, ...), int at, const char *name, int flags,
                     mode_t mode) {
    if (!record || !(flags & (O_CREAT | O_TRUNC)))
        return next(at, name, flags, mode);
    char path[PATH_MAX];
    uint64_t inode;
    pthread_mutex_lock(&lock);
    int was_there = !faccessat(at, name, F_OK, 0);
    int fd = next(at, name, flags, mode);
    int error = errno;
    if (fd >= 0 && look_up(fd, path, &inode) == 1) {
        if (!was_there)
            note('C', inode, 0, path, strlen(path));
        else if (flags & O_TRUNC)
            note('T', inode, 0, "", 0);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define OPEN(name, parameters, at, path)                                                           \
    int name parameters {                                                                          \
        static int (*next)(int, const char *, int, ...);                                           \
        if (!next)                                                                                 \
            next = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat64");             \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;                  \
        va_end(rest);                                                                              \
        return open_with(next, at, path, flags, mode);                                             \
    }

OPEN(open, (const char *path, int flags, ...), AT_FDCWD, path)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, path)
OPEN(openat, (int at, const char *path, int flags, ...), at, path)
OPEN(openat64, (int at, const char *path, int flags, ...), at, path)
