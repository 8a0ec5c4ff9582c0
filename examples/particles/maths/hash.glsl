#version 460
#include "constants.h"
#include "maths.h"

// Each component mixes the product of the others into itself, twice.
// After Jarzynski and Olano, "Hash Functions for GPU Rendering" (2020).
void stir(inout uvec3 v) {
    v.x += v.y * v.z;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
}

uvec3 hash(uvec3 key) {
    uvec3 v = key * HASH_FACTOR + HASH_TERM;
    stir(v);
    v ^= v >> 16u;
    stir(v);
    return v;
}

// Three numbers in [0, 1), exact in 24 bits.
vec3 random(uvec3 key) {
    return vec3(hash(key) >> 8u) / 16777216.0;
}
