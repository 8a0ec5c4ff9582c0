#pragma once

struct Particle {
    vec3 position;
    float age;
    vec3 velocity;
    float lifetime;
};
