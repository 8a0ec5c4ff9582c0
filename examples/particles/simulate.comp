#version 460
#include "constants.h"
#include "buffers.h"
#include "physics.h"
#include "scene.h"

layout(local_size_x = GROUP_SIZE) in;

void main() {
    uint index = gl_GlobalInvocationID.x;
    if (index >= scene.count) return;
    Particle particle = particles[index];
    advance(particle, scene.step);
    if (particle.age > particle.lifetime) particle = spawn(index, floatBitsToUint(scene.time));
    particles[index] = particle;
}
