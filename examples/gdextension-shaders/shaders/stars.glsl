#[compute]
#version 450

layout(local_size_x = 64) in;
layout(set = 0, binding = 0, std430) restrict buffer Stars { uint seed; float brightness[]; } stars;

void main() {
    uint state = gl_GlobalInvocationID.x * 747796405u + stars.seed;
    stars.brightness[gl_GlobalInvocationID.x] = float((state >> 8) & 0xffffu) / 65535.0;
}
