#include "glsl_in_hlsl.h"
#include "constants.h"
#include "physics.h"

static const float BOUNCE = 0.45;

// Moves a particle out of a solid whose surface lies `depth` along `normal`, and turns it back.
static void push_out(inout Particle particle, float depth, float3 normal) {
    if (depth <= 0.0) return;
    float inward = min(dot(particle.velocity, normal), 0.0);
    particle.position += depth * normal;
    particle.velocity -= (1.0 + BOUNCE) * inward * normal;
}

void collide(inout Particle particle) {
    float3 from_centre = particle.position - BALL_CENTRE;
    float range = max(length(from_centre), 1e-4);
    push_out(particle, BALL_RADIUS - range, from_centre / range);
    push_out(particle, -particle.position.y, float3(0.0, 1.0, 0.0));
}
