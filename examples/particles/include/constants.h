#pragma once
#define PI 3.14159265
#define HASH_FACTOR 1664525u
#define HASH_TERM 1013904223u
// The ball that the fountain plays on: centre and radius.
#define BALL_CENTRE vec3(0.0, 1.5, 0.0)
#define BALL_RADIUS 1.0
#define GROUP_SIZE 64
