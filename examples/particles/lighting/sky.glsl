#version 460
#include "lighting.h"
#include "maths.h"

// A blue dome that reddens towards a low sun, with the sun's disc and drifting clouds.
vec3 sky_colour(vec3 direction, vec3 to_sun) {
    float height = max(direction.y, 0.0);
    float near_sun = max(dot(direction, to_sun), 0.0);
    vec3 horizon = mix(vec3(0.95, 0.45, 0.2), vec3(0.7, 0.8, 0.9), clamp(2.0 * to_sun.y, 0.0, 1.0));
    vec3 colour = mix(horizon, vec3(0.12, 0.3, 0.65), sqrt(height));
    float cover = smoothstep(0.0, 0.4, fractal_noise(3.0 * direction / (height + 0.3), 5));
    colour = mix(colour, vec3(0.9), 0.6 * cover * height);
    return colour + vec3(1.0, 0.9, 0.7) * (0.3 * pow(near_sun, 32.0) + 20.0 * smoothstep(0.9994, 0.9998, near_sun));
}
