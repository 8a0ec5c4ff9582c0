#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
uint64_t hash_sum(const unsigned char *data, uint32_t size);
/* Spreads what `hash_sum` returns over all bits; in hash/mix.wat. */
uint64_t hash_mix(uint64_t value);
#ifdef __cplusplus
}
#endif
