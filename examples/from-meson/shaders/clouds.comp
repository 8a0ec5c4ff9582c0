#version 460
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Clouds { float density[]; };
float hash(vec2 p);

void main() {
    uint i = gl_GlobalInvocationID.x;
    density[i] = hash(vec2(float(i), 1.0));
}
