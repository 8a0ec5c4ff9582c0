#include "hash.h"

/* FNV-1a. */
uint64_t hash_sum(const unsigned char *data, uint32_t size) {
    uint64_t sum = 0xcbf29ce484222325u;
    for (uint32_t i = 0; i < size; i++)
        sum = (sum ^ data[i]) * 0x100000001b3u;
    return hash_mix(sum);
}
