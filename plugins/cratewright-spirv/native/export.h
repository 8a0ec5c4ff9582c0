// How a function is marked that ctypes can find.

#pragma once

#if defined(_WIN32)
#define CRATEWRIGHT_EXPORT __declspec(dllexport)
#else
#define CRATEWRIGHT_EXPORT __attribute__((visibility("default")))
#endif
