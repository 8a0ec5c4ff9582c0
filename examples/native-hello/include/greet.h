#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Writes a greeting to `out`, cut to `size` bytes with the zero; returns how long it is in full. */
unsigned long greet(char *out, unsigned long size, const char *whom);

#ifdef __cplusplus
}
#endif
