#version 460
#include "lighting.h"
#include "maths.h"
#include "scene.h"

layout(location = 0) in vec3 direction;
layout(location = 0) out vec4 colour;

void main() {
    // The wind moves the sky, slowly.
    vec3 at = rotate(normalize(direction), vec3(0.0, 1.0, 0.0), 0.01 * scene.time);
    colour = vec4(tone_map(sky_colour(at, scene.sun.xyz)), 1.0);
}
