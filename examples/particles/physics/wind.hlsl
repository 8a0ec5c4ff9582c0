#include "glsl_in_hlsl.h"
#include "maths.h"

// The curl of a smooth field flows along without sources or sinks.
float3 wind(float3 position, float time) {
    const float h = 0.125;
    float3 at = 0.5 * position + float3(0.0, 0.0, 0.25 * time);
    float3 dx = noise(at + float3(h, 0, 0)) - noise(at - float3(h, 0, 0));
    float3 dy = noise(at + float3(0, h, 0)) - noise(at - float3(0, h, 0));
    float3 dz = noise(at + float3(0, 0, h)) - noise(at - float3(0, 0, h));
    return float3(dy.z - dz.y, dz.x - dx.z, dx.y - dy.x) / (2.0 * h);
}
