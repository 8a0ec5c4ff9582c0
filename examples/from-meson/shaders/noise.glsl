// A library: compiled once, linked into every shader that calls it.
#version 460
#include "constants.h"

float hash(vec2 p) { return fract(sin(dot(p, HASH_DIRECTION)) * 43758.5453); }
