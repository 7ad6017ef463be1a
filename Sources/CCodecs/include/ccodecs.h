// Code that has to be C: bindings to libraries whose error handling (longjmp, callbacks) only C can use, and loops over
// pixels that use vector instructions.
#pragma once
#include "cc_chunks.h"
#include "cc_hdf5.h"
#include "cc_image.h"
#include "cc_isa.h"
#include "cc_labels.h"
#include "cc_process.h"
#include "cc_resample.h"
#include "cc_versions.h"
