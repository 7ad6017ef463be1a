#include "copencl.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

// OpenCL fixes these types and numbers in its binary interface; the names are those of CL/cl.h.
typedef intptr_t properties;
enum { DEVICE_TYPE_ALL = -1, MEM_READ_WRITE = 1, PROGRAM_BUILD_LOG = 0x1183, DEVICE_NOT_FOUND = -1 };
enum { EVENT_STATUS = 0x11d3, COMPLETE = 0 };
enum { PLATFORM_NOT_FOUND = -1001, CONTEXT_PLATFORM = 0x1084, DEVICE_PLATFORM = 0x1031 };

static struct {
  int32_t (*GetPlatformIDs)(uint32_t, void **, uint32_t *);
  int32_t (*GetDeviceIDs)(void *, uint64_t, uint32_t, void **, uint32_t *);
  int32_t (*GetDeviceInfo)(void *, uint32_t, size_t, void *, size_t *);
  void *(*CreateContext)(const properties *, uint32_t, void *const *, void (*)(const char *, const void *, size_t, void *), void *, int32_t *);
  int32_t (*ReleaseContext)(void *);
  void *(*CreateCommandQueue)(void *, void *, uint64_t, int32_t *);
  int32_t (*ReleaseCommandQueue)(void *);
  void *(*CreateProgramWithSource)(void *, uint32_t, const char **, const size_t *, int32_t *);
  int32_t (*BuildProgram)(void *, uint32_t, void *const *, const char *, void (*)(void *, void *), void *);
  int32_t (*GetProgramBuildInfo)(void *, void *, uint32_t, size_t, void *, size_t *);
  int32_t (*ReleaseProgram)(void *);
  void *(*CreateKernel)(void *, const char *, int32_t *);
  int32_t (*SetKernelArg)(void *, uint32_t, size_t, const void *);
  int32_t (*EnqueueNDRangeKernel)(void *, void *, uint32_t, const size_t *, const size_t *, const size_t *, uint32_t, void *const *, void **);
  void *(*CreateBuffer)(void *, uint64_t, size_t, void *, int32_t *);
  int32_t (*ReleaseMemObject)(void *);
  int32_t (*EnqueueWriteBuffer)(void *, void *, uint32_t, size_t, size_t, const void *, uint32_t, void *const *, void **);
  int32_t (*EnqueueReadBuffer)(void *, void *, uint32_t, size_t, size_t, void *, uint32_t, void *const *, void **);
  int32_t (*EnqueueCopyBuffer)(void *, void *, void *, size_t, size_t, size_t, uint32_t, void *const *, void **);
  int32_t (*GetEventInfo)(void *, uint32_t, size_t, void *, size_t *);
  int32_t (*ReleaseEvent)(void *);
  int32_t (*Flush)(void *);
  int32_t (*Finish)(void *);
} cl;

int copencl_open(const char *path, char *reason, size_t size) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(reason, size, "%s", dlerror());
    return 1;
  }
  struct {
    const char *name;
    void **symbol;
  } symbols[] = {
#define SYMBOL(x) {"cl" #x, (void **)&cl.x}
    SYMBOL(GetPlatformIDs), SYMBOL(GetDeviceIDs), SYMBOL(GetDeviceInfo), SYMBOL(CreateContext), SYMBOL(ReleaseContext),
    SYMBOL(CreateCommandQueue), SYMBOL(ReleaseCommandQueue), SYMBOL(CreateProgramWithSource), SYMBOL(BuildProgram),
    SYMBOL(GetProgramBuildInfo), SYMBOL(ReleaseProgram), SYMBOL(CreateKernel), SYMBOL(SetKernelArg),
    SYMBOL(EnqueueNDRangeKernel), SYMBOL(CreateBuffer), SYMBOL(ReleaseMemObject), SYMBOL(EnqueueWriteBuffer),
    SYMBOL(EnqueueReadBuffer), SYMBOL(EnqueueCopyBuffer), SYMBOL(GetEventInfo),
    SYMBOL(ReleaseEvent), SYMBOL(Flush), SYMBOL(Finish),
#undef SYMBOL
  };
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    *symbols[i].symbol = dlsym(library, symbols[i].name);
    if (*symbols[i].symbol) continue;
    snprintf(reason, size, "%s has no %s", path, symbols[i].name);
    return 1;
  }
  return 0;
}

int copencl_platforms(uint32_t most, void **platforms, uint32_t *count) {
  *count = 0;
  int code = cl.GetPlatformIDs(most, platforms, count);
  // The loader's word for 'none'.
  if (code == PLATFORM_NOT_FOUND) code = 0, *count = 0;
  if (*count > most) *count = most;
  return code;
}

int copencl_devices(void *platform, uint32_t most, void **devices, uint32_t *count) {
  *count = 0;
  int code = cl.GetDeviceIDs(platform, (uint64_t)(uint32_t)DEVICE_TYPE_ALL, most, devices, count);
  if (code == DEVICE_NOT_FOUND) code = 0, *count = 0;
  if (*count > most) *count = most;
  return code;
}

int copencl_text(void *device, copencl_text_kind kind, char *text, size_t size) {
  memset(text, 0, size);
  return cl.GetDeviceInfo(device, kind, size - 1, text, NULL);
}

int copencl_number(void *device, copencl_number_kind kind, uint64_t *number) {
  // Little-endian hosts: the bytes beyond a shorter number stay 0.
  *number = 0;
  return cl.GetDeviceInfo(device, kind, sizeof *number, number, NULL);
}

int copencl_start(void *device, void **context, void **queue) {
  void *platform = NULL;
  int32_t code = cl.GetDeviceInfo(device, DEVICE_PLATFORM, sizeof platform, &platform, NULL);
  if (code) return code;
  const properties list[] = {CONTEXT_PLATFORM, (properties)platform, 0};
  *context = cl.CreateContext(list, 1, &device, NULL, NULL, &code);
  if (code) return code;
  *queue = cl.CreateCommandQueue(*context, device, 0, &code);
  if (code) cl.ReleaseContext(*context);
  return code;
}

void copencl_end(void *context, void *queue) {
  cl.ReleaseCommandQueue(queue);
  cl.ReleaseContext(context);
}

int copencl_build(
  void *context, void *device, const char *header, size_t header_size, const char *source, size_t source_size,
  const char *options, void **program, char *log, size_t size) {
  const char *texts[] = {header, source};
  const size_t sizes[] = {header_size, source_size};
  int32_t code = 0;
  log[0] = 0;
  *program = cl.CreateProgramWithSource(context, 2, texts, sizes, &code);
  if (code) return code;
  code = cl.BuildProgram(*program, 1, &device, options, NULL, NULL);
  if (!code) return 0;
  size_t length = 0;
  if (cl.GetProgramBuildInfo(*program, device, PROGRAM_BUILD_LOG, size - 1, log, &length)) length = 0;
  log[length < size ? length : size - 1] = 0;
  cl.ReleaseProgram(*program);
  return code;
}

int copencl_kernel(void *program, const char *name, void **kernel) {
  int32_t code = 0;
  *kernel = cl.CreateKernel(program, name, &code);
  return code;
}

int copencl_set(void *kernel, uint32_t index, size_t size, const void *value) {
  return cl.SetKernelArg(kernel, index, size, value);
}

int copencl_launch(void *queue, void *kernel, const size_t *global, const size_t *local) {
  return cl.EnqueueNDRangeKernel(queue, kernel, 3, NULL, global, local, 0, NULL, NULL);
}

int copencl_allocate(void *context, size_t bytes, void **memory) {
  int32_t code = 0;
  *memory = cl.CreateBuffer(context, MEM_READ_WRITE, bytes, NULL, &code);
  return code;
}

int copencl_release(void *memory) { return cl.ReleaseMemObject(memory); }

int copencl_write_later(
  void *queue, void *memory, size_t offset, size_t bytes, const void *from, void **event) {
  int code = cl.EnqueueWriteBuffer(queue, memory, 0, offset, bytes, from, 0, NULL, event);
  // Without it a driver may keep commands back, and the event would never happen.
  return code ? code : cl.Flush(queue);
}

int copencl_has_happened(void *event, int *happened) {
  int32_t status = COMPLETE;
  int code = cl.GetEventInfo(event, EVENT_STATUS, sizeof status, &status, NULL);
  // Below it are errors of the command.
  if (!code && status < COMPLETE) code = status;
  *happened = code || status == COMPLETE;
  if (*happened) cl.ReleaseEvent(event);
  return code;
}

int copencl_write(void *queue, void *memory, size_t offset, size_t bytes, const void *from) {
  return cl.EnqueueWriteBuffer(queue, memory, 1, offset, bytes, from, 0, NULL, NULL);
}

int copencl_read(void *queue, void *memory, size_t offset, size_t bytes, void *to) {
  return cl.EnqueueReadBuffer(queue, memory, 1, offset, bytes, to, 0, NULL, NULL);
}

int copencl_copy(void *queue, void *from, size_t from_offset, void *to, size_t to_offset, size_t bytes) {
  return cl.EnqueueCopyBuffer(queue, from, to, from_offset, to_offset, bytes, 0, NULL, NULL);
}

int copencl_finish(void *queue) { return cl.Finish(queue); }

const char *copencl_error(int code) {
  switch (code) {
  case -1: return "DEVICE_NOT_FOUND";
  case -2: return "DEVICE_NOT_AVAILABLE";
  case -3: return "COMPILER_NOT_AVAILABLE";
  case -4: return "MEM_OBJECT_ALLOCATION_FAILURE";
  case -5: return "OUT_OF_RESOURCES";
  case -6: return "OUT_OF_HOST_MEMORY";
  case -11: return "BUILD_PROGRAM_FAILURE";
  case -14: return "EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST";
  case -30: return "INVALID_VALUE";
  case -33: return "INVALID_DEVICE";
  case -34: return "INVALID_CONTEXT";
  case -36: return "INVALID_COMMAND_QUEUE";
  case -38: return "INVALID_MEM_OBJECT";
  case -43: return "INVALID_BUILD_OPTIONS";
  case -46: return "INVALID_KERNEL_NAME";
  case -49: return "INVALID_ARG_INDEX";
  case -51: return "INVALID_ARG_SIZE";
  case -52: return "INVALID_KERNEL_ARGS";
  case -54: return "INVALID_WORK_GROUP_SIZE";
  case -55: return "INVALID_WORK_ITEM_SIZE";
  case -61: return "INVALID_BUFFER_SIZE";
  case -1001: return "PLATFORM_NOT_FOUND";
  default: return "error of the driver";
  }
}
