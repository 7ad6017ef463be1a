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
    // What it gets as its descriptors 0, 1, 2, ...; it inherits no other.
    const int *descriptors;
    int descriptorCount;
    // Where it runs with the machine's device nodes read-only, as `cp_guard_devices` gives them; -1 for where the caller is.
    int mountNamespace;
    int rootFolder;
};

// How it ended.
struct cp_ending {
    // errno of what kept it from starting; 0 where it ran.
    int error;
    // As of wait(2).
    int status;
    // Whether something that it started could not be killed.
    int survivors;
};

// Makes a mount namespace like the caller's but for device nodes, which are read-only in it: who owns a node may change its
// mode, from a sandbox too. The calling thread stays in it, so it must be one that ends after this. Descriptors of the
// namespace and of the caller's root folder in it go to `ends`. Returns 0, or -1 with errno.
int cp_guard_devices(int ends[2]);

// Runs a program, and returns when it and every process that came of it are gone, whatever session they went to. It leads
// a session of its own without a terminal, has default signal handling, and writes no core.
//
// The calling thread is suspended meanwhile; every signal must be blocked in it. `control` is the reading end of a pipe:
// a byte 'T' asks the program to stop, 'K' kills it, and so does the end of the pipe, which comes when the caller dies,
// whatever way. The writing end must be open in the calling process alone.
void cp_run(const struct cp_program *program, int control, struct cp_ending *ending);

// A descriptor of a file in memory with a seccomp filter as bwrap's --seccomp reads it; -1 with errno on failure, and
// ENOSYS on processors that there is none for.
int cp_filter(void);

// A descriptor of a file in memory that holds some bytes, at its beginning; -1 with errno on failure.
int cp_memory_file(const char *name, const void *bytes, size_t count);

// A pipe, its reading end first, that no program inherits. Returns 0, or -1 with errno.
int cp_pipe(int ends[2]);

// Removes a file, or a folder with all in it, whatever the names and modes there are and however deep it is; never follows
// a link. Returns 0, also where nothing is there, or errno.
int cp_remove(const char *path);

// Whether a file has more than `limit` bytes of holes; -1 with errno on failure.
int cp_holes_exceed(int descriptor, off_t limit);

#ifdef __cplusplus
}
#endif
