#version 460
#include "maths.h"

vec2 rotate(vec2 v, float angle) {
    float s = sin(angle), c = cos(angle);
    return vec2(c * v.x - s * v.y, s * v.x + c * v.y);
}

// Rodrigues' formula; the axis has length one.
vec3 rotate(vec3 v, vec3 axis, float angle) {
    return mix(axis * dot(axis, v), v, cos(angle)) + cross(axis, v) * sin(angle);
}

mat3 rotation(vec3 axis, float angle) {
    return mat3(
        rotate(vec3(1.0, 0.0, 0.0), axis, angle),
        rotate(vec3(0.0, 1.0, 0.0), axis, angle),
        rotate(vec3(0.0, 0.0, 1.0), axis, angle));
}
