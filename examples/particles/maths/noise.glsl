#version 460
#include "maths.h"

// Three independent smooth fields at once, each in [-1, 1].
vec3 noise(vec3 position) {
    ivec3 cell = ivec3(floor(position));
    vec3 t = fract(position);
    t = t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    vec3 sum = vec3(0.0);
    for (int corner = 0; corner < 8; ++corner) {
        ivec3 step = ivec3(corner, corner >> 1, corner >> 2) & 1;
        vec3 weight = mix(1.0 - t, t, vec3(step));
        sum += weight.x * weight.y * weight.z * (2.0 * random(uvec3(cell + step)) - 1.0);
    }
    return sum;
}

// Turned between octaves, so that their lattices do not line up.
float fractal_noise(vec3 position, int octaves) {
    mat3 turn = rotation(vec3(0.48, 0.6, 0.64), 1.1);
    float sum = 0.0, weight = 0.5;
    for (int octave = 0; octave < octaves; ++octave, weight *= 0.5) {
        sum += weight * noise(position).x;
        position = turn * position * 2.0;
    }
    return sum;
}
