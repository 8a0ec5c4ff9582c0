#version 460
#include "lighting.h"

// Rolls highlights off instead of cutting them.
vec3 tone_map(vec3 radiance) {
    return radiance * (1.0 + radiance / 16.0) / (1.0 + radiance);
}
