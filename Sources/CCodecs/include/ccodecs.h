// Glue to C libraries whose error handling (longjmp, callbacks) only C can use.
#pragma once
#include "cc_image.h"
