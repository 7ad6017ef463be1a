#ifndef CMPI_H
#define CMPI_H

#include <stddef.h>

// The few calls of MPI that a team of processes needs, from a library that is loaded at run time: nothing is linked,
// and building needs no MPI. Open MPI and the libraries with MPICH's binary interface are known.
//
// One thread makes all calls. Numbers that calls return are MPI's error codes; 0 is success. By default MPI ends the
// process, with words, where a call fails.

/// Loads a library.
/// @param reason gets a text where that fails, or the library is of another kind.
/// @return 0 on success.
int cmpi_open(const char *path, char *reason, size_t size);

/// Starts MPI; the calling thread is the one that makes all calls.
int cmpi_start(int *rank, int *size);

/// Bytes of a request.
size_t cmpi_request_size(void);

/// Begins to send or receive bytes; `request` has the size of one.
int cmpi_send(const void *bytes, int count, int peer, int tag, void *request);
int cmpi_receive(void *bytes, int count, int peer, int tag, void *request);

/// Moves everything on; tells whether all of some requests have ended. Those are then no more.
int cmpi_test(int count, void *requests, int *ended);

/// Gives up a receipt.
int cmpi_cancel(void *request);

/// Ends MPI.
int cmpi_finish(void);

/// Ends all processes.
void cmpi_kill_all(int code);

#endif
