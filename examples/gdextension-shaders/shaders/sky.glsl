#[vertex]
#version 450

layout(push_constant) uniform View { mat4 inverse_projection; vec4 sun; } view;
layout(location = 0) out vec3 direction;

void main() {
    vec2 corner = vec2((gl_VertexIndex << 1) & 2, gl_VertexIndex & 2) * 2.0 - 1.0;
    direction = (view.inverse_projection * vec4(corner, 1.0, 1.0)).xyz;
    gl_Position = vec4(corner, 1.0, 1.0);
}

#[fragment]
#version 450
#include "colours.glslinc"

layout(push_constant) uniform View { mat4 inverse_projection; vec4 sun; } view;
layout(location = 0) in vec3 direction;
layout(location = 0) out vec4 colour;

void main() {
    float glow = max(dot(normalize(direction), view.sun.xyz), 0.0);
    colour = vec4(mix(ZENITH, HORIZON, 1.0 - abs(direction.y)) + pow(glow, 64.0), 1.0);
}
