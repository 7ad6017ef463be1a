// Removes trees of untrusted programs. It works on descriptors, so no path is too long and names may be any bytes. A
// nested folder is first moved up to the top, so depth costs neither descriptors nor stack.
#define _GNU_SOURCE
#include "CProcesses.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

// Clears the flags "immutable" and "append only", where permitted.
static void clear_flags(int descriptor) {
    int flags = 0;
    if (ioctl(descriptor, FS_IOC_GETFLAGS, &flags) != 0) return;
    int plain = flags & ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
    if (plain != flags) ioctl(descriptor, FS_IOC_SETFLAGS, &plain);
}

// Opens a folder, not a link, and makes it writable.
static int open_folder(int parent, const char *name) {
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 && errno == EACCES) {
        int place = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (place < 0) return -1;
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", place);
        int code = chmod(path, 0700) == 0 ? 0 : errno;
        close(place);
        if (code != 0) {
            errno = code;
            return -1;
        }
        folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (folder < 0) return -1;
    struct stat s;
    if (fstat(folder, &s) == 0 && (s.st_mode & 0700) != 0700) {
        if (fchmod(folder, 0700) != 0) {
            clear_flags(folder);
            (void)!fchmod(folder, 0700);
        }
    }
    return folder;
}

static int remove_name(int folder, const char *name, int flags) {
    if (unlinkat(folder, name, flags) == 0 || errno == ENOENT) return 0;
    if (errno != EPERM && errno != EACCES) return errno;
    int code = errno;
    if (flags == 0 && code == EPERM) {
        struct stat s;
        if (fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(s.st_mode)) return EISDIR;
    }
    clear_flags(folder);
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file >= 0) {
        clear_flags(file);
        close(file);
    }
    return unlinkat(folder, name, flags) == 0 || errno == ENOENT ? 0 : errno;
}

// Moves a folder to a free name in `top`, where nothing else creates names meanwhile.
static int move_up(int folder, const char *name, int top, unsigned long *made) {
    char free_name[32];
    int child = open_folder(folder, name);
    if (child < 0) return errno == ENOENT ? 0 : errno;
    clear_flags(child);
    close(child);
    for (;;) {
        snprintf(free_name, sizeof free_name, "%lu", (*made)++);
        struct stat s;
        if (fstatat(top, free_name, &s, AT_SYMLINK_NOFOLLOW) == 0) continue;
        if (errno != ENOENT) return errno;
        if (renameat(folder, name, top, free_name) == 0) return 0;
        int code = errno;
        if (code == EPERM || code == EACCES) {
            clear_flags(folder);
            if (renameat(folder, name, top, free_name) == 0) return 0;
            code = errno;
        }
        return code;
    }
}

static int flatten(int top, const char *name, unsigned long *made);

// Removes what is in a folder, which is `top` or lies in it, and closes it. Folders in `top` are removed where they are,
// deeper ones are moved there.
static int empty(int folder, int top, unsigned long *made) {
    DIR *entries = fdopendir(folder);
    if (!entries) {
        int code = errno;
        close(folder);
        return code;
    }
    int code = 0, found;
    do {
        found = 0;
        rewinddir(entries);
        struct dirent *entry;
        while (code == 0 && (errno = 0, entry = readdir(entries))) {
            const char *name = entry->d_name;
            if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
            found = 1;
            code = remove_name(folder, name, 0);
            if (code == EISDIR) code = folder == top ? flatten(top, name, made) : move_up(folder, name, top, made);
        }
        if (code == 0 && errno != 0) code = errno;
    } while (code == 0 && found);
    closedir(entries);
    return code;
}

// Removes a folder in `top`; its subfolders are moved to `top`.
static int flatten(int top, const char *name, unsigned long *made) {
    int folder = open_folder(top, name);
    if (folder < 0) return errno == ENOENT ? 0 : errno;
    int code = empty(folder, top, made);
    return code != 0 ? code : remove_name(top, name, AT_REMOVEDIR);
}

int cp_remove(const char *path) {
    int code = remove_name(AT_FDCWD, path, 0);
    if (code != EISDIR) return code;
    int top = open_folder(AT_FDCWD, path);
    if (top < 0) return errno == ENOENT ? 0 : errno;
    unsigned long made = 0;
    code = empty(top, top, &made);
    return code != 0 ? code : remove_name(AT_FDCWD, path, AT_REMOVEDIR);
}
