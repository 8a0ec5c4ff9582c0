#version 460
#include "lighting.h"
#include "scene.h"

layout(location = 0) in vec2 corner;
layout(location = 1) in vec3 world;
layout(location = 2) in float youth;
layout(location = 0) out vec4 colour;

// Lights the square as if it were the sphere that it stands for.
void main() {
    float inside = 1.0 - dot(corner, corner);
    if (inside <= 0.0) discard;
    vec3 to_eye = normalize(scene.camera[3].xyz - world);
    vec3 normal = mat3(scene.camera) * vec3(corner, sqrt(inside));
    Surface surface = Surface(mix(vec3(0.1, 0.3, 0.8), vec3(0.8, 0.9, 1.0), youth), normal, 0.35, 0.0);
    vec3 direct = scene.sun.w * brdf(surface, to_eye, scene.sun.xyz);
    vec3 ambient = 0.3 * surface.colour * sky_colour(normal, scene.sun.xyz);
    colour = vec4(tone_map(direct + ambient), 1.0);
}
