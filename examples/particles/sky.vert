#version 460
#include "scene.h"

layout(location = 0) out vec3 direction;

// One triangle that covers the screen, at the far plane.
void main() {
    vec2 at = vec2((gl_VertexIndex << 1) & 2, gl_VertexIndex & 2) * 2.0 - 1.0;
    direction = mat3(scene.camera) * vec3(at, -1.5);
    gl_Position = vec4(at, 1.0, 1.0);
}
