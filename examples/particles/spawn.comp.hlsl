#include "glsl_in_hlsl.h"
#include "constants.h"
#include "physics.h"

[[vk::binding(1, 0)]] RWStructuredBuffer<Particle> particles;

// Fills the buffer before the first frame.
[numthreads(GROUP_SIZE, 1, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    uint count, stride;
    particles.GetDimensions(count, stride);
    if (id.x < count) particles[id.x] = spawn(id.x, 0);
}
