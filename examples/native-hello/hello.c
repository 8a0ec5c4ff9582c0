#include <stdio.h>

#include "greet.h"

int main(int count, char **words) {
    char line[80];
    greet(line, sizeof line, count > 1 ? words[1] : "world");
    puts(line);
    return 0;
}
