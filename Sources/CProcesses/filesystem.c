#include <sys/vfs.h>

#include "CProcesses.h"

long cp_file_system(const char *path) {
    struct statfs s;
    return statfs(path, &s) == 0 ? (long)(unsigned int)s.f_type : -1;
}
