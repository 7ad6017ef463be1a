#pragma once

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

// A program to run. `arguments` and `environment` end with NULL.
struct cp_program {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *folder;
    // The caller's descriptors that become its descriptors 0, 1, 2, ...; it inherits no others.
    const int *descriptors;
    int descriptorCount;
    // The mount namespace in which it runs, with read-only device nodes, from `cp_guard_devices`; -1 for the caller's.
    int mountNamespace;
    int rootFolder;
};

// How the program ended.
struct cp_ending {
    // errno of the failure to start it; 0 where it ran.
    int error;
    // The status as of wait(2).
    int status;
    // Whether a process that it started could not be killed.
    int survivors;
};

// Makes a mount namespace like the caller's in which device nodes are read-only: the owner of a node could otherwise change
// its mode, even from a sandbox. The calling thread stays in the namespace, so it must end after this call. Descriptors of
// the namespace and of the root folder in it are stored in `ends`. Returns 0, or -1 with errno.
int cp_guard_devices(int ends[2]);

// Runs a program, and returns when it and all its descendants are gone, in whatever session they are. The program leads
// a new session without a terminal, has default signal handling, and writes no core dump.
//
// The calling thread is suspended meanwhile; every signal must be blocked in it. `control` is the read end of a pipe: a
// byte 'T' asks the program to stop and 'K' kills it. The end of the pipe, which comes when the caller dies in any way,
// kills it too. The write end must be open in the calling process only.
void cp_run(const struct cp_program *program, int control, struct cp_ending *ending);

// A descriptor of an in-memory file with a seccomp filter as bwrap's --seccomp reads it; -1 with errno on failure, ENOSYS
// on processors without a filter.
int cp_filter(void);

// A descriptor, positioned at the start, of an in-memory file with the given bytes; -1 with errno on failure.
int cp_memory_file(const char *name, const void *bytes, size_t count);

// A pipe, read end first, with close-on-exec set. Returns 0, or -1 with errno.
int cp_pipe(int ends[2]);

// The number of the file system that a path lies on, as linux/magic.h has it; -1 with errno on failure.
long cp_file_system(const char *path);

// Removes a file, or a folder with its content, with any names and modes and at any depth; never follows a link. Returns 0,
// also where nothing exists, or errno.
int cp_remove(const char *path);

// Whether a file has more than `limit` bytes of holes; -1 with errno on failure.
int cp_holes_exceed(int descriptor, off_t limit);

#ifdef __cplusplus
}
#endif
