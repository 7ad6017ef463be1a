#include "cmpi.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Handles of communicators, types and requests are pointers in Open MPI and numbers in MPICH.
typedef void *pointer;

static struct {
  int is_mpich;
  pointer world, byte;
  int (*init)(int *, char ***, int, int *);
  int (*finalize)(void);
  void *rank, *size, *isend, *irecv, *testall, *cancel, *free, *abort;
} mpi;

// Of MPICH's binary interface, which its mpi.h fixes.
enum { MPICH_WORLD = 0x44000000, MPICH_BYTE = 0x4c00010d };
enum { THREAD_FUNNELED = 1 };

static int find(void *library, const char *name, void **symbol, char *reason, size_t size) {
  *symbol = dlsym(library, name);
  if (*symbol) return 0;
  snprintf(reason, size, "it has no %s", name);
  return 1;
}

int cmpi_open(const char *path, char *reason, size_t size) {
  // Open MPI's plug-ins look for its symbols among those that everybody sees.
  void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    snprintf(reason, size, "%s", dlerror());
    return 1;
  }
  mpi.world = dlsym(library, "ompi_mpi_comm_world");
  mpi.byte = dlsym(library, "ompi_mpi_byte");
  mpi.is_mpich = !mpi.world;
  if (mpi.is_mpich) {
    char text[8192] = "";  // MPI_MAX_LIBRARY_VERSION_STRING
    int length = 0;
    int (*version)(char *, int *) = (int (*)(char *, int *))dlsym(library, "MPI_Get_library_version");
    if (version && version(text, &length) != 0) text[0] = 0;
    if (!strstr(text, "MPICH") && !strstr(text, "Intel(R) MPI") && !strstr(text, "MVAPICH")) {
      snprintf(reason, size, "it is neither Open MPI nor compatible with MPICH: %.80s", text);
      return 1;
    }
  }
  struct {
    const char *name;
    void **symbol;
  } symbols[] = {
    {"MPI_Init_thread", (void **)&mpi.init}, {"MPI_Finalize", (void **)&mpi.finalize}, {"MPI_Comm_rank", &mpi.rank},
    {"MPI_Comm_size", &mpi.size}, {"MPI_Isend", &mpi.isend}, {"MPI_Irecv", &mpi.irecv},
    {"MPI_Testall", &mpi.testall}, {"MPI_Cancel", &mpi.cancel}, {"MPI_Request_free", &mpi.free},
    {"MPI_Abort", &mpi.abort},
  };
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
    if (find(library, symbols[i].name, symbols[i].symbol, reason, size)) return 1;
  return 0;
}

static int ask(void *call, int *answer) {
  return mpi.is_mpich ? ((int (*)(int, int *))call)(MPICH_WORLD, answer)
                      : ((int (*)(pointer, int *))call)(mpi.world, answer);
}

int cmpi_start(int *rank, int *size) {
  int provided = 0;
  int code = mpi.init(NULL, NULL, THREAD_FUNNELED, &provided);
  if (code) return code;
  if (provided < THREAD_FUNNELED) return -1;
  code = ask(mpi.rank, rank);
  return code ? code : ask(mpi.size, size);
}

size_t cmpi_request_size(void) { return mpi.is_mpich ? sizeof(int) : sizeof(pointer); }

// The calls of either binary interface.
typedef int (*send_mpich)(const void *, int, int, int, int, int, int *);
typedef int (*send_open)(const void *, int, pointer, int, int, pointer, pointer *);
typedef int (*receive_mpich)(void *, int, int, int, int, int, int *);
typedef int (*receive_open)(void *, int, pointer, int, int, pointer, pointer *);

int cmpi_send(const void *bytes, int count, int peer, int tag, void *request) {
  if (mpi.is_mpich) return ((send_mpich)mpi.isend)(bytes, count, MPICH_BYTE, peer, tag, MPICH_WORLD, request);
  return ((send_open)mpi.isend)(bytes, count, mpi.byte, peer, tag, mpi.world, request);
}

int cmpi_receive(void *bytes, int count, int peer, int tag, void *request) {
  if (mpi.is_mpich) return ((receive_mpich)mpi.irecv)(bytes, count, MPICH_BYTE, peer, tag, MPICH_WORLD, request);
  return ((receive_open)mpi.irecv)(bytes, count, mpi.byte, peer, tag, mpi.world, request);
}

int cmpi_test(int count, void *requests, int *ended) {
  // MPI_STATUSES_IGNORE
  void *none = mpi.is_mpich ? (void *)1 : NULL;
  return ((int (*)(int, void *, int *, void *))mpi.testall)(count, requests, ended, none);
}

int cmpi_cancel(void *request) {
  int code = ((int (*)(void *))mpi.cancel)(request);
  return code ? code : ((int (*)(void *))mpi.free)(request);
}

int cmpi_finish(void) { return mpi.finalize(); }

void cmpi_kill_all(int code) {
  // Where MPI itself is stuck the alarm ends this process, and whoever started it ends the others.
  alarm(10);
  if (mpi.is_mpich) ((int (*)(int, int))mpi.abort)(MPICH_WORLD, code);
  else ((int (*)(pointer, int))mpi.abort)(mpi.world, code);
}
