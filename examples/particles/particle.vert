#version 460
#include "buffers.h"
#include "maths.h"
#include "scene.h"

layout(location = 0) out vec2 corner;
layout(location = 1) out vec3 world;
layout(location = 2) out float youth;

// A square that faces the camera and turns as it ages.
void main() {
    Particle particle = particles[visible[gl_InstanceIndex]];
    corner = vec2(gl_VertexIndex & 1, gl_VertexIndex >> 1) * 2.0 - 1.0;
    youth = clamp(1.0 - particle.age / particle.lifetime, 0.0, 1.0);
    vec2 turned = rotate(0.05 * corner, 3.0 * particle.age);
    world = particle.position + mat3(scene.camera) * vec3(turned, 0.0);
    gl_Position = scene.view_projection * vec4(world, 1.0);
}
