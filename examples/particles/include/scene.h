// What changes from frame to frame.
#pragma once

layout(set = 0, binding = 0, std140) uniform Scene {
    mat4 view_projection;
    mat4 camera;     // from view to world; its last column is the eye
    vec4 sun;        // direction to it, and its strength
    vec4 attractor;  // where it is, and its pull
    float time;
    float step;
    float wind_speed;
    uint count;
} scene;
