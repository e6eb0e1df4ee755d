/* Stands between a program and the system, and lets one of the calls that touch a folder go wrong.

   Loaded by LD_PRELOAD, started by shim_arm, or by environment variables in the programs that the process starts.
   The calls of all these processes are counted together, by the bytes of the log. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { SHORT_WRITE = -1, KILL = -2, FULL = -3 }; /* kinds that are no error number */
enum { LINE = 120 };                             /* bytes of a line of the log */

static char folder[PATH_MAX];
static int log_file = -1, kind, at = -1;

void shim_arm(const char *where, int how, int when, const char *log) {
    snprintf(folder, sizeof folder, "%s", where);
    kind = how, at = when;
    log_file = syscall(SYS_openat, AT_FDCWD, log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((constructor)) static void arm_by_environment(void) {
    const char *where = getenv("SHIM_FOLDER"), *how = getenv("SHIM_KIND"), *when = getenv("SHIM_AT"), *log = getenv("SHIM_LOG");
    if (where && how && when && log) shim_arm(where, atoi(how), atoi(when), log);
}

static int is_inside(const char *path) {
    size_t length = strlen(folder);
    return length > 0 && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* Write the absolute path of a name, relative to a folder or not, into place. */
static void absolute(int base, const char *name, char *place) {
    char link[64], begin[PATH_MAX / 2] = "";
    if (name == NULL || name[0] != '/') {
        snprintf(link, sizeof link, base == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", base);
        ssize_t length = readlink(link, begin, sizeof begin - 1);
        begin[length < 0 ? 0 : length] = 0;
    }
    snprintf(place, PATH_MAX, name == NULL || name[0] == 0 ? "%s" : "%s/%s", begin, name == NULL ? "" : name);
    if (name != NULL && name[0] == '/') snprintf(place, PATH_MAX, "%s", name);
}

/* Count a call; return 0 if it may happen, 1 if it must fail with errno, 2 if only a part may be written. */
static int fails(const char *call, int base, const char *name) {
    static __thread int inside;
    char path[PATH_MAX], line[LINE + 1];
    if (log_file < 0 || inside) return 0;
    int before = errno;
    inside = 1;
    absolute(base, name, path);
    inside = 0;
    errno = before;
    if (!is_inside(path)) return 0;
    snprintf(line, sizeof line, "%-9s %-*.*s\n", call, LINE - 11, LINE - 11, path + strlen(folder));
    syscall(SYS_write, log_file, line, LINE);
    int number = syscall(SYS_lseek, log_file, 0, SEEK_CUR) / LINE - 1; /* O_APPEND leaves the offset behind the line */
    errno = before;
    if (at < 0 || (kind == FULL ? number < at : number != at)) return 0;
    if (kind == KILL) kill(getpid(), SIGKILL);
    if (kind == SHORT_WRITE) return 2;
    if (kind == FULL && (strcmp(call, "write") != 0 && strcmp(call, "create") != 0 && strcmp(call, "mkdir") != 0)) return 0;
    errno = kind == FULL ? ENOSPC : kind;
    return 1;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        REAL(name); \
        return fails(flags & O_CREAT ? "create" : "open", AT_FDCWD, path) == 1 ? -1 : real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int base, const char *path, int flags, ...) { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        REAL(name); \
        return fails(flags & O_CREAT ? "create" : "open", base, path) == 1 ? -1 : real(base, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int file, const void *data, size_t size) {
    REAL(write);
    int wrong = fails("write", file, NULL);
    return wrong == 1 ? -1 : real(file, data, wrong == 2 && size > 1 ? size / 2 : size);
}

int close(int file) {
    REAL(close);
    if (fails("close", file, NULL) != 1) return real(file);
    int reason = errno;
    real(file); /* Linux closes the file although it reports an error */
    errno = reason;
    return -1;
}

#define BY_NUMBER(name) \
    int name(int file) { \
        REAL(name); \
        return fails(#name, file, NULL) == 1 ? -1 : real(file); \
    }
BY_NUMBER(fsync)
BY_NUMBER(fdatasync)

#define TRUNCATE(name, type) \
    int name(int file, type size) { \
        REAL(name); \
        return fails("truncate", file, NULL) == 1 ? -1 : real(file, size); \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int rename(const char *from, const char *to) {
    REAL(rename);
    return fails("rename", AT_FDCWD, to) == 1 ? -1 : real(from, to);
}

#define BY_PATH(name) \
    int name(const char *path) { \
        REAL(name); \
        return fails(#name, AT_FDCWD, path) == 1 ? -1 : real(path); \
    }
BY_PATH(unlink)
BY_PATH(rmdir)

int unlinkat(int base, const char *path, int flags) {
    REAL(unlinkat);
    return fails("unlink", base, path) == 1 ? -1 : real(base, path, flags);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return fails("mkdir", AT_FDCWD, path) == 1 ? -1 : real(path, mode);
}

int symlink(const char *to, const char *path) {
    REAL(symlink);
    return fails("symlink", AT_FDCWD, path) == 1 ? -1 : real(to, path);
}
