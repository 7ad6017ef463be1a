// Glue to C libraries whose error handling (longjmp, callbacks) only C can use.
#pragma once
#include "cc_chunks.h"
#include "cc_hdf5.h"
#include "cc_versions.h"
#include "cc_image.h"
#include "cc_process.h"
