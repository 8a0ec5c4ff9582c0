#version 460
#include "constants.h"
#include "buffers.h"
#include "maths.h"
#include "scene.h"

layout(local_size_x = GROUP_SIZE) in;

shared uint group_count;
shared uint group_start;

// Lists the particles that show; each group reserves its room in the list at once.
void main() {
    uint index = gl_GlobalInvocationID.x;
    if (gl_LocalInvocationIndex == 0u) group_count = 0u;
    barrier();
    bool shows = index < scene.count && in_frustum(particles[index].position, 0.05, scene.view_projection);
    uint place = shows ? atomicAdd(group_count, 1u) : 0u;
    barrier();
    if (gl_LocalInvocationIndex == 0u) group_start = atomicAdd(visible_count, group_count);
    barrier();
    if (shows) visible[group_start + place] = index;
}
